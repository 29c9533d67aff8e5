"""A signature holds for one message of one role, and for nothing that differs from it."""

import os
from typing import Any

import pytest

from tasks.utils.task_signatures import HEADER, RoleKey, Signature, Signed, Verifier, parse_role_key, role_key, sign
from workers.signing import ROLES, may_send

SECRET, OTHER = b"s" * 32, b"o" * 32
HEADERS: dict[str, Any] = {"task": "alerts.submit", "id": "1", "eta": None, "expires": None, "timelimit": [None, None]}
MESSAGE = Signed(HEADERS, {"correlation_id": "1"}, b'[[], {"alerts": []}, {}]', "alert")


def fault(message: Signed, signature: dict[str, Any], *secrets: bytes) -> str:
    found = Signature.read({HEADER: signature})
    assert found is not None
    return Verifier(secrets or (SECRET,)).fault(message, found)


def test_what_was_signed_is_known_again_and_so_it_is_when_it_comes_back() -> None:
    signature = sign(MESSAGE, role_key(SECRET, "cli"), 1)
    again = MESSAGE._replace(headers={**HEADERS, HEADER: signature, "redelivered": True})

    assert fault(MESSAGE, signature) == ""
    assert fault(again, signature) == ""


@pytest.mark.parametrize(
    "altered",
    [
        MESSAGE._replace(body=MESSAGE.body + b" "),
        MESSAGE._replace(headers={**HEADERS, "task": "alerts.silence"}),
        MESSAGE._replace(headers={**HEADERS, "id": "2"}),
        MESSAGE._replace(headers={**HEADERS, "eta": "2030-01-01"}),
        MESSAGE._replace(headers={**HEADERS, "expires": "2030-01-01"}),
        MESSAGE._replace(headers={**HEADERS, "timelimit": [1, None]}),
        MESSAGE._replace(headers={**HEADERS, "tocsin_slot": "x@y"}),
        MESSAGE._replace(headers={name: value for name, value in HEADERS.items() if name != "eta"}),
        MESSAGE._replace(properties={"correlation_id": "2"}),
        MESSAGE._replace(properties={"correlation_id": "1", "reply_to": "me"}),
    ],
)
def test_every_change_is_noticed(altered: Signed) -> None:
    signature = sign(MESSAGE, role_key(SECRET, "cli"), 1)

    assert fault(altered, signature) == "has a signature that does not fit: it was altered or forged"


@pytest.mark.parametrize(
    "change", [{"at": 2}, {"nonce": "0"}, {"queue": "maintenance"}, {"mac": "0" * 64}, {"mac": ""}, {"role": "gateway"}]
)
def test_every_change_of_the_signature_itself_is_noticed(change: dict[str, Any]) -> None:
    signature = sign(MESSAGE, role_key(SECRET, "cli"), 1)

    assert fault(MESSAGE, {**signature, **change})


@pytest.mark.parametrize("found", [None, "x", {}, {"v": 1}, {**dict.fromkeys(Signature._fields, "x")}, []])
def test_what_has_another_shape_is_no_signature(found: Any) -> None:
    assert Signature.read({HEADER: found}) is None


def test_the_key_of_one_role_signs_for_no_other() -> None:
    gateway = role_key(SECRET, "gateway")
    forged = sign(MESSAGE, RoleKey("cli", gateway.key), 1)

    assert fault(MESSAGE, forged).startswith("is signed with a key that is not known here (role 'cli'")


def test_a_former_secret_is_still_known_and_another_is_not() -> None:
    signature = sign(MESSAGE, role_key(SECRET, "cli"), 1)

    assert fault(MESSAGE, signature, OTHER, SECRET) == ""
    assert "not known here" in fault(MESSAGE, signature, OTHER)


def test_no_two_messages_have_the_same_name() -> None:
    key = role_key(SECRET, "cli")

    assert sign(MESSAGE, key, 1)["nonce"] != sign(MESSAGE, key, 1)["nonce"]


def test_a_role_key_goes_through_a_variable() -> None:
    key = role_key(os.urandom(32), "producer")

    assert parse_role_key(str(key)) == key


@pytest.mark.parametrize(
    ("role", "task", "may"),
    [
        ("cli", "backups.restore", True),
        ("gateway", "alerts.submit", True),
        ("gateway", "audit.prove", False),
        ("gateway", "notifications.replay", False),
        ("producer", "alerts.submit", True),
        ("producer", "alerts.silence", False),
        ("beat", "audit.seal", True),
        ("beat", "alerts.silence", False),
        ("worker-alert", "alerts.submit", True),
        ("worker-alert", "audit.seal", False),
        ("worker-maintenance", "audit.seal", True),
        ("worker-maintenance", "notifications.replay", False),
        ("stranger", "alerts.submit", False),
    ],
)
def test_who_may_send_what(role: str, task: str, *, may: bool) -> None:
    assert may_send(role, task) is may


def test_every_role_may_send_something() -> None:
    tasks = ("alerts.submit", "webhooks.process", "notifications.sweep", "audit.seal")

    assert all(any(may_send(role, task) for task in tasks) for role in ROLES)
