"""Webhooks that go wrong on their way, as the sandbox's control API has them."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.receiver import Received, Receiver
from tests.integration.sandbox.webhook_kit import call, ended, happen, subscribe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def receiver(sandbox: SandboxProcess) -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def fault(sandbox: SandboxProcess, kind: str, **fields: Any) -> None:
    sandbox.control("POST", "/webhooks/faults", {"kind": kind, "count": 1, **fields})


def is_signed(got: Received, secret: str) -> bool:
    return (
        got.headers["x-pagerduty-signature"] == "v1=" + hmac.new(secret.encode(), got.body, hashlib.sha256).hexdigest()
    )


def story(sandbox: SandboxProcess, incident: str = "Q1") -> None:
    for name in ("triggered", "acknowledged", "resolved"):
        happen(sandbox, f"incident.{name}", incident)


def test_a_dropped_webhook_never_comes(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    fault(sandbox, "drop", event_type="incident.acknowledged")

    story(sandbox)

    assert receiver.types(2) == ["incident.triggered", "incident.resolved"]
    assert [one["state"] for one in ended(sandbox)] == ["delivered", "not_sent", "delivered"]


def test_a_duplicate_comes_under_the_same_id(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    fault(sandbox, "duplicate", copies=2)

    happen(sandbox)

    got = [receiver.get() for _ in range(3)]
    assert len({(one.headers["x-webhook-id"], one.body) for one in got}) == 1


def test_a_duplicate_may_come_much_later(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    fault(sandbox, "duplicate", seconds=3600)

    story(sandbox)
    sandbox.advance(3600)

    names = ["incident.triggered", "incident.acknowledged", "incident.resolved", "incident.triggered"]
    assert receiver.types(4) == names


def test_a_reordered_webhook_is_overtaken_by_the_next(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    fault(sandbox, "reorder", event_type="incident.acknowledged")

    story(sandbox)

    assert receiver.types(3) == ["incident.triggered", "incident.resolved", "incident.acknowledged"]


def test_a_reordered_webhook_that_nothing_overtakes_comes_by_itself(
    sandbox: SandboxProcess, receiver: Receiver
) -> None:
    subscribe(sandbox, receiver.url)
    fault(sandbox, "reorder")

    happen(sandbox)
    sandbox.advance(31)

    assert receiver.types(1) == ["incident.triggered"]


def test_a_delayed_webhook_holds_up_its_incident_only(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    fault(sandbox, "delay", seconds=600)

    story(sandbox)
    happen(sandbox, incident="Q2")
    first = receiver.get()
    sandbox.advance(600)

    assert first.event["data"]["id"] == "Q2"
    assert receiver.types(3) == ["incident.triggered", "incident.acknowledged", "incident.resolved"]


def test_a_forged_webhook_comes_before_the_right_one(sandbox: SandboxProcess, receiver: Receiver) -> None:
    secret = subscribe(sandbox, receiver.url)["delivery_method"]["secret"]
    fault(sandbox, "forge")

    happen(sandbox)

    forged, right = receiver.get(), receiver.get()
    assert (is_signed(forged, secret), is_signed(right, secret)) == (False, True)
    assert forged.event["event_type"] == "incident.resolved"


def test_an_event_nobody_has_heard_of_is_signed_well(sandbox: SandboxProcess, receiver: Receiver) -> None:
    secret = subscribe(sandbox, receiver.url)["delivery_method"]["secret"]
    fault(sandbox, "unknown")

    happen(sandbox)

    unknown, right = receiver.get(), receiver.get()
    assert is_signed(unknown, secret)
    assert unknown.event["event_type"] == "incident.unheard_of"
    assert unknown.event["id"] != right.event["id"]


def test_a_truncated_webhook_is_no_json(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    fault(sandbox, "truncated")

    happen(sandbox)

    with pytest.raises(json.JSONDecodeError):
        json.loads(receiver.get().body)
    assert receiver.types(1) == ["incident.triggered"]


def test_an_oversize_webhook_has_300_kb(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    fault(sandbox, "oversize")

    happen(sandbox)

    assert len(receiver.get().body) > 300_000
    assert len(receiver.get().body) < 1_000


def test_what_becomes_of_wrong_webhooks_disables_nothing(sandbox: SandboxProcess, receiver: Receiver) -> None:
    made = subscribe(sandbox, receiver.url)
    fault(sandbox, "forge", count=5)

    for number in range(5):
        receiver.answers.extend([403, 202])
        happen(sandbox, incident=f"Q{number}")
        ended(sandbox)

    shown = call(sandbox, "GET", f"/webhook_subscriptions/{made['id']}").json()["webhook_subscription"]
    assert shown["delivery_method"]["temporarily_disabled"] is False
    assert [one["fault"] for one in ended(sandbox)] == ["forge"] * 10


def test_faults_are_listed_with_what_is_left_and_can_be_lifted(sandbox: SandboxProcess) -> None:
    fault(sandbox, "drop", count=7)

    assert sandbox.control("GET", "/webhooks/faults")["faults"][0]["left"] == 7
    sandbox.control("DELETE", "/webhooks/faults")
    assert sandbox.control("GET", "/webhooks/faults") == {"faults": []}
