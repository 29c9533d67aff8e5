"""Webhooks out of the sandbox: what they say, who gets them, and what becomes of those that are not taken."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.kit import TOKEN, event
from tests.integration.sandbox.receiver import Receiver
from tests.integration.sandbox.webhook_kit import ACCOUNT, call, ended, happen, states, subscribe, tried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.sandbox.kit import SandboxProcess

DAY = 86_400


@pytest.fixture
def receiver(sandbox: SandboxProcess) -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def mac(secret: str, body: bytes) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_webhook_is_signed_over_its_bytes_and_says_whose_it_is(sandbox: SandboxProcess, receiver: Receiver) -> None:
    made = subscribe(sandbox, receiver.url)

    happen(sandbox, service_id="P1", agent={"id": "PUSER", "type": "user_reference"})

    got = receiver.get()
    assert got.headers["x-pagerduty-signature"] == mac(made["delivery_method"]["secret"], got.body)
    assert got.headers["x-webhook-subscription"] == made["id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", got.headers["x-webhook-id"])
    assert (got.headers["user-agent"], got.headers["content-type"]) == ("PagerDuty-Webhook/V3.0", "application/json")
    assert set(got.event) == {"id", "event_type", "resource_type", "occurred_at", "agent", "client", "data"}
    assert (got.event["event_type"], got.event["resource_type"]) == ("incident.triggered", "incident")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", got.event["occurred_at"])
    assert got.event["data"]["title"] == "disk full"


def test_a_second_secret_adds_a_second_signature(sandbox: SandboxProcess, receiver: Receiver) -> None:
    made = subscribe(sandbox, receiver.url)
    sandbox.control("POST", "/webhooks/secrets", {"subscription": made["id"], "secret": "the next one"})

    happen(sandbox)

    got = receiver.get()
    first, second = got.headers["x-pagerduty-signature"].split(",")
    assert (first, second) == (mac(made["delivery_method"]["secret"], got.body), mac("the next one", got.body))


def test_custom_headers_go_with_every_webhook(sandbox: SandboxProcess, receiver: Receiver) -> None:
    headers = [{"name": "x-team", "value": "red"}]
    method = {"type": "http_delivery_method", "url": receiver.url, "custom_headers": headers}
    subscribe(sandbox, receiver.url, delivery_method=method)

    happen(sandbox)

    assert receiver.get().headers["x-team"] == "red"


def test_a_ping_comes_in_the_real_ones_shape(sandbox: SandboxProcess, receiver: Receiver) -> None:
    made = subscribe(sandbox, receiver.url)

    answer = call(sandbox, "POST", f"/webhook_subscriptions/{made['id']}/ping")

    assert (answer.status_code, answer.content) == (202, b"")
    event = receiver.get().event
    assert (event["event_type"], event["resource_type"]) == ("pagey.ping", "pagey")
    assert event["data"] == {"message": "Hello from your friend Pagey!", "type": "ping"}


def test_an_incidents_life_is_told_by_webhooks_whoever_moves_it(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)

    sandbox.enqueue(event())
    triggered = receiver.get().event
    path = f"/incidents/{triggered['data']['id']}"
    change = {"incident": {"type": "incident", "status": "acknowledged"}}
    headers = {**TOKEN, "From": "ada@example.com"}
    assert sandbox.http.put(path, json=change, headers=headers).status_code == 200
    acknowledged = receiver.get().event
    sandbox.enqueue(event("resolve"))
    resolved = receiver.get().event

    told = [triggered, acknowledged, resolved]
    assert [one["event_type"] for one in told] == ["incident.triggered", "incident.acknowledged", "incident.resolved"]
    assert [one["data"]["status"] for one in told] == ["triggered", "acknowledged", "resolved"]
    assert acknowledged["agent"]["type"] == "user_reference"
    assert {(one["data"]["number"], one["data"]["title"]) for one in told} == {(1, "disk full")}
    assert {one["data"]["incident_key"] for one in told} == {None}


def test_two_subscriptions_hear_of_one_event_in_two_webhooks(sandbox: SandboxProcess, receiver: Receiver) -> None:
    for _ in range(2):
        subscribe(sandbox, receiver.url)

    happen(sandbox)

    one, other = receiver.get(), receiver.get()
    assert one.event["id"] == other.event["id"]
    assert one.headers["x-webhook-id"] != other.headers["x-webhook-id"]


def test_who_is_told_is_said_by_events_filter_and_the_active_flag(sandbox: SandboxProcess, receiver: Receiver) -> None:
    (db, web) = (one["id"] for one in sandbox.control("GET", "/account")["services"])
    subscribe(sandbox, f"{receiver.url}/db", filter={"type": "service_reference", "id": db})
    subscribe(sandbox, f"{receiver.url}/resolved", events=["incident.resolved"])
    subscribe(sandbox, f"{receiver.url}/idle", active=False, filter=ACCOUNT)

    happen(sandbox, service_id=web)
    happen(sandbox, service_id=db)
    happen(sandbox, "incident.resolved", service_id=web)

    assert sorted(receiver.get().path.rpartition("/")[2] for _ in range(2)) == ["db", "resolved"]
    assert states(sandbox) == ["delivered"] * 2


@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_fails_is_tried_again_under_the_same_id(sandbox: SandboxProcess, receiver: Receiver, status: int) -> None:
    subscribe(sandbox, receiver.url)
    receiver.answers.extend([status, status])

    happen(sandbox)
    tried(sandbox, 1)
    sandbox.advance(5)
    tried(sandbox, 2)
    sandbox.advance(10)

    got = [receiver.get() for _ in range(3)]
    (delivery,) = ended(sandbox)
    assert [one["status"] for one in delivery["attempts"]] == [status, status, 202]
    assert {one.headers["x-webhook-id"] for one in got} == {delivery["id"]}
    assert len({one.body for one in got}) == 1


def test_what_is_not_answered_in_time_is_tried_again(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    sandbox.control("POST", "/webhooks/settings", {"timeout_seconds": 0.1})
    receiver.let_go.clear()

    happen(sandbox)
    first = tried(sandbox, 1)
    receiver.let_go.set()
    sandbox.advance(5)

    assert first["attempts"][0]["error"] == "no answer within 0.1 s"
    assert states(sandbox) == ["delivered"]


def test_a_receiver_that_is_away_for_a_day_gets_everything_in_order(sandbox: SandboxProcess) -> None:
    with Receiver() as gone:
        subscribe(sandbox, gone.url)
    names = ["incident.triggered", "incident.acknowledged", "incident.resolved"]

    for name in names:
        happen(sandbox, name)
    for times in range(1, 12):
        tried(sandbox, times, place=0)
        sandbox.advance(3600)
    with Receiver(gone.port) as back:
        sandbox.advance(DAY)

        assert back.types(3) == names
    assert states(sandbox) == ["delivered"] * 3


def test_after_48_hours_it_is_given_up(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    receiver.answers.extend([500, 500])

    happen(sandbox)
    tried(sandbox, 1)
    sandbox.advance(2 * DAY)

    (delivery,) = ended(sandbox)
    assert (delivery["state"], delivery["tried"], delivery["reason"]) == ("dropped", 2, "status 500")


def test_later_ones_of_an_incident_wait_and_other_incidents_do_not(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    receiver.answers.append(500)

    happen(sandbox, "incident.triggered", "Q1")
    receiver.get()
    tried(sandbox, 1)
    happen(sandbox, "incident.acknowledged", "Q1")
    happen(sandbox, "incident.triggered", "Q2")
    other = receiver.get()
    assert other.event["data"]["id"] == "Q2"
    assert receiver.is_empty()
    sandbox.advance(5)

    assert receiver.types(2) == ["incident.triggered", "incident.acknowledged"]


def test_three_refusals_in_a_row_disable_for_a_day_and_drop_the_queue(
    sandbox: SandboxProcess, receiver: Receiver
) -> None:
    made = subscribe(sandbox, receiver.url)
    receiver.answers.extend([400, 202, 400, 403, 404])

    for number in range(6):
        happen(sandbox, incident=f"Q{number}")
        ended(sandbox)

    shown = call(sandbox, "GET", f"/webhook_subscriptions/{made['id']}").json()["webhook_subscription"]
    assert shown["delivery_method"]["temporarily_disabled"] is True
    assert states(sandbox) == ["dropped", "delivered", "dropped", "dropped", "dropped", "not_sent"]
    sandbox.advance(DAY)
    happen(sandbox)
    assert states(sandbox)[-1] == "delivered"


def test_enabling_sends_again_at_once_and_not_what_happened_meanwhile(
    sandbox: SandboxProcess, receiver: Receiver
) -> None:
    made = subscribe(sandbox, receiver.url)
    receiver.answers.extend([400] * 3)
    for number in range(4):
        happen(sandbox, incident=f"Q{number}")
        ended(sandbox)

    answer = call(sandbox, "POST", f"/webhook_subscriptions/{made['id']}/enable").json()["webhook_subscription"]
    happen(sandbox, incident="Q9")

    assert answer["delivery_method"]["temporarily_disabled"] is False
    assert states(sandbox) == ["dropped"] * 3 + ["not_sent", "delivered"]
    assert [receiver.get().event["data"]["id"] for _ in range(4)] == ["Q0", "Q1", "Q2", "Q9"]


def test_a_large_event_goes_without_its_details_and_a_huge_one_not_at_all(
    sandbox: SandboxProcess, receiver: Receiver
) -> None:
    subscribe(sandbox, receiver.url)
    details = {"body": {"details": "x" * 60_000}}

    happen(sandbox, data={"body": {"details": "short"}})
    happen(sandbox, data=details)
    happen(sandbox, data={**details, "title": "x" * 270_000})

    whole, lean = receiver.get(), receiver.get()
    assert whole.event["data"]["body"] == {"details": "short"}
    assert "body" not in lean.event["data"]
    assert [one["reason"] for one in ended(sandbox)] == ["", "", "larger than 256 KB"]


def test_a_deleted_subscriptions_queue_is_dropped(sandbox: SandboxProcess, receiver: Receiver) -> None:
    made = subscribe(sandbox, receiver.url)
    receiver.answers.append(500)
    happen(sandbox)
    happen(sandbox, "incident.resolved")
    tried_once = sandbox.control("GET", "/webhooks")["deliveries"][0]["id"]
    receiver.get()

    call(sandbox, "DELETE", f"/webhook_subscriptions/{made['id']}")

    found = ended(sandbox)
    assert found[0]["id"] == tried_once
    assert found[1]["state"] == "not_sent"


def test_the_witness_is_read_on_from_where_one_was(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)
    for number in range(3):
        happen(sandbox, incident=f"Q{number}")
    ended(sandbox)

    first = sandbox.control("GET", "/webhooks?limit=2")
    rest = sandbox.control("GET", f"/webhooks?since={first['next']}")

    assert (len(first["deliveries"]), first["more"], len(rest["deliveries"]), rest["more"]) == (2, True, 1, False)
    assert first["counts"] == {"pending": 0, "delivered": 3, "dropped": 0, "not_sent": 0}
    sandbox.control("DELETE", "/webhooks")
    assert sandbox.control("GET", "/webhooks")["deliveries"] == []


def test_bodies_are_json_as_sent(sandbox: SandboxProcess, receiver: Receiver) -> None:
    subscribe(sandbox, receiver.url)

    happen(sandbox, data={"title": "Platte voll ☎"})

    assert json.loads(receiver.get().body)["event"]["data"]["title"] == "Platte voll ☎"
