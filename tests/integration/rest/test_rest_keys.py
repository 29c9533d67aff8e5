"""The key: refused, replaced, missing, and never told."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.errors import TokenRefusedError, UnavailableError
from tests.integration.rest.kit import SENDER, TOKEN, hurried, rest_of, rest_requests

if TYPE_CHECKING:
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox

NEW = "nEwKeY0123456789abcd"


def test_a_refused_key_is_an_error_after_one_call(rest: RestClient, sandbox: Sandbox) -> None:
    sandbox.fault(kind="reject", status=401)

    with pytest.raises(TokenRefusedError, match="PAGERDUTY_API_KEY"):
        list(rest.services.list())

    assert len(rest_requests(sandbox)) == 1


def test_a_key_that_was_replaced_in_its_file_is_taken_up(client: Any, keys: Keys, sandbox: Sandbox) -> None:
    sandbox.fault(kind="reject", status=401, count=1)

    with rest_of(client, keys, sandbox.url, reread=NEW) as rest:
        assert list(rest.services.list()) == []
        assert rest.caller.credentials.header() == f"Token token={NEW}"

    assert [status for *_, status in rest_requests(sandbox)] == [401, 200]


def test_a_new_key_that_is_refused_too_is_an_error(client: Any, keys: Keys, sandbox: Sandbox) -> None:
    sandbox.fault(kind="reject", status=401)

    with rest_of(client, keys, sandbox.url, reread=NEW) as rest, pytest.raises(TokenRefusedError):
        list(rest.services.list())

    assert len(rest_requests(sandbox)) == 2


def test_without_a_key_nothing_is_asked(client: Any, keys: Keys, sandbox: Sandbox) -> None:
    with (
        rest_of(client, keys, sandbox.url, key="", reread="") as rest,
        pytest.raises(PermanentError, match="no REST API key is set; set PAGERDUTY_API_KEY"),
    ):
        list(rest.services.list())

    assert rest_requests(sandbox) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reject", "status": 401, "body": {"error": {"message": f"Token {TOKEN} is unknown", "code": 2006}}},
        {"kind": "reset"},
        {"kind": "outage", "status": 503},
        {"kind": "throttle"},
    ],
)
def test_neither_errors_nor_logs_nor_objects_tell_the_key(
    rest: RestClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, fault: dict[str, Any]
) -> None:
    sandbox.fault(**fault)

    with structlog.testing.capture_logs() as told, pytest.raises((PermanentError, UnavailableError)) as caught:
        list(rest.services.list())

    error = caught.value
    texts = f"{error} {error!r} {vars(error)} {rest!r} {rest.caller!r} {rest.services!r} {told} {caplog.text}"
    assert TOKEN not in texts
    assert TOKEN.encode() not in pickle.dumps(str(error))


def test_what_is_changed_is_changed_in_somebodys_name(rest: RestClient, service: str, sandbox: Sandbox) -> None:
    incident = {"title": "Disk full", "service": {"id": service, "type": "service_reference"}}
    made = rest.incidents.create(incident)
    other = rest.users.create({"type": "user", "name": "Ann", "email": "ann@example.com"})

    noted = rest.incidents.add_note(made["id"], "by the bot")
    noted_by_ann = rest.incidents.add_note(made["id"], "by Ann", sender="ann@example.com")

    assert noted["user"]["summary"] == "Bot"
    assert noted_by_ann["user"]["id"] == other["id"]


def test_a_writing_call_without_any_name_is_refused_in_words(client: Any, keys: Keys, sandbox: Sandbox) -> None:
    with (
        rest_of(client, keys, sandbox.url, {"pagerduty.from_email": None}) as rest,
        pytest.raises(PermanentError, match="From"),
    ):
        hurried(rest).incidents.acknowledge("P1")

    assert SENDER not in str(rest_requests(sandbox))
