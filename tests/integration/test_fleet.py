"""The whole way with real processes: gateway, workers, server, sandbox."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tasks.utils.hints import ID_MARK, hint_message
from tests.fleet import Fleet
from tests.pipeline import alert
from workers.request import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET_WORDS = "quarterly-revenue-host"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("fleet"), sandbox_options=("--no-limits",)) as running:
        running.start_workers("alert", "delivery", "maintenance")
        yield running


def checkout(key: str, action: str = "trigger", **payload: Any) -> dict[str, Any]:
    return {**alert(key, action, **payload), "service": "checkout"}


def row(fleet: Fleet, event_id: str) -> dict[str, str]:
    return fleet.client.hgetall(fleet.keys.event(event_id))


def settled(fleet: Fleet, event_id: str) -> dict[str, str]:
    """The row of an event once its story has ended."""
    fleet.wait(lambda: row(fleet, event_id).get("state") not in {None, "queued"}, 20, f"{event_id} has not ended")
    return row(fleet, event_id)


def dead_message(fleet: Fleet, fragment: str) -> dict[str, str]:
    """The dead letter whose body has this text."""
    found: list[dict[str, str]] = []

    def look() -> bool:
        rows = [row(fleet, event_id) for event_id in fleet.client.zrange(fleet.keys.dead, 0, -1)]
        found[:] = [dead for dead in rows if fragment in dead["body"]]
        return bool(found)

    fleet.wait(look, 20, f"no dead letter with {fragment!r}")
    return found[0]


def test_a_task_of_a_plain_celery_producer_reaches_pagerduty(fleet: Fleet) -> None:
    task_id = fleet.submit(checkout("from-celery"))

    assert settled(fleet, f"{task_id}:0")["state"] == "sent"
    assert "from-celery" in {entry["dedup_key"] for entry in fleet.sandbox.log()}


def test_a_call_that_asks_for_its_result_gets_the_decisions(fleet: Fleet) -> None:
    result = fleet.producer.send_task(
        "alerts.submit",
        kwargs={"alerts": [checkout("asked"), {"event_action": "bang"}]},
        queue="alert",
        ignore_result=False,
    )

    first, second = result.get(timeout=20)["alerts"]

    assert (first["state"], first["dedup_key"]) == ("queued", "asked")
    assert (second["state"], second["reason"]) == ("dead", "invalid")
    assert "event_action" in second["detail"]


def test_a_silence_by_task_holds_back_and_its_end_lets_go(fleet: Fleet) -> None:
    asked = {"services": ["checkout"], "duration_seconds": 1.5, "author": "ann", "comment": "deploy"}
    call = {"kwargs": {"action": "create", **asked}, "queue": "alert", "ignore_result": False}
    made = fleet.producer.send_task("alerts.silence", **call).get(timeout=20)
    event_id = f"{fleet.submit(checkout('silenced'))}:0"

    assert settled(fleet, event_id)["reason"] == f"silence:{made['id']}"

    fleet.wait(lambda: row(fleet, event_id).get("state") == "sent", 20, "what was silenced is not sent")
    assert "silenced" in {entry["dedup_key"] for entry in fleet.sandbox.log()}


def test_a_long_summary_and_an_odd_severity_are_mended_and_said_so(fleet: Fleet) -> None:
    task_id = fleet.submit(checkout("long", summary="x" * 2000, severity="sev1"))

    assert settled(fleet, f"{task_id}:0")["state"] == "sent"
    steps = [entry for _, entry in fleet.client.xrange(fleet.keys.ledger) if entry["e"] == f"{task_id}:0"]
    adapted = next(json.loads(entry["r"]) for entry in steps if entry["s"] == "adapted")
    assert set(adapted) == {"summary_cut", "severity_replaced"}


def test_600_kilobytes_of_details_are_shrunk_and_delivered(fleet: Fleet) -> None:
    task_id = fleet.submit(checkout("huge", custom_details={"log": "y" * 600_000, "host": "web1"}))

    assert settled(fleet, f"{task_id}:0")["state"] == "sent"


def test_an_unknown_task_is_kept_as_a_dead_letter(fleet: Fleet) -> None:
    fleet.producer.send_task("alerts.submitt", kwargs={"alerts": [checkout("typo-in-the-name")]}, queue="alert")

    dead = dead_message(fleet, "typo-in-the-name")

    assert dead["state"] == "dead"
    assert "alerts.submitt" in json.dumps(dead)


def test_garbage_in_the_queue_is_kept_as_a_dead_letter_and_harms_nobody(fleet: Fleet) -> None:
    fleet.client.lpush(fleet.keys.queue("alert"), "this is no message")
    task_id = fleet.submit(checkout("after-garbage"))

    assert settled(fleet, f"{task_id}:0")["state"] == "sent"
    assert dead_message(fleet, "this is no message")["state"] == "dead"


def test_a_call_with_wrong_arguments_is_kept_as_a_dead_letter(fleet: Fleet) -> None:
    fleet.producer.send_task("alerts.submit", kwargs={"alert": checkout("wrong-argument")}, queue="alert")

    assert dead_message(fleet, "wrong-argument")["reason"] == "task_failed"


def test_a_message_that_keeps_coming_back_ends_as_a_dead_letter(fleet: Fleet) -> None:
    fleet.client.hset(fleet.keys.deliveries("poison-1"), "n", 5)
    envelope = json.loads(hint_message("alerts.submit", "alert").replace(ID_MARK, "poison-1"))
    body = [[], {"alerts": [checkout("poisoned")]}, {}]
    envelope["body"] = base64.b64encode(json.dumps(body).encode()).decode()
    envelope["properties"]["delivery_info"]["redelivered"] = True
    fleet.client.lpush(fleet.keys.queue("alert"), json.dumps(envelope))

    outcome = settled(fleet, "poison-1:0")

    assert (outcome["state"], outcome["reason"]) == ("dead", "poison")
    assert "poisoned" in outcome["body"]


def test_a_scheduled_run_is_done_once_however_many_beats_send_it(fleet: Fleet) -> None:
    def send() -> Any:
        slot = {"tocsin_slot": "ledger-seal@2026-11-22T10:05Z"}
        return fleet.producer.send_task("audit.verify", queue="maintenance", ignore_result=False, headers=slot)

    first, second = send(), send()
    fleet.wait(lambda: first.ready() or second.ready(), 20, "neither ran")
    third = fleet.producer.send_task("audit.verify", queue="maintenance", ignore_result=False)
    third.get(timeout=20)

    assert [first.state, second.state].count("SUCCESS") == 1


def test_payloads_are_seen_neither_in_events_nor_by_inspect(fleet: Fleet) -> None:
    with fleet.client.pubsub() as events:
        events.psubscribe("*celeryev*")
        task_id = fleet.submit(checkout("secret", summary=SECRET_WORDS))
        seen: list[str] = []
        for message in events.listen():
            seen.append(str(message["data"]))
            text = (
                base64.b64decode(json.loads(message["data"])["body"]).decode() if message["type"] == "pmessage" else ""
            )
            seen.append(text)
            if task_id in text and "task-succeeded" in text:
                break

    assert SECRET_WORDS not in "".join(seen)
    assert HIDDEN in "".join(seen)


def test_an_http_event_is_accepted_delivered_and_proved(fleet: Fleet) -> None:
    url = fleet.start_gateway()
    key = fleet.settings.services["checkout"].ingest_keys[0].get_secret_value()
    body = {"routing_key": key, **alert("over-http")}
    del body["service"]
    answer = httpx.post(f"{url}/v2/enqueue", json=body)
    assert (answer.status_code, answer.json()["dedup_key"]) == (202, "over-http")
    fleet.wait(fleet.is_idle, 20, "something waits")

    proof = fleet.producer.send_task("audit.prove", queue="maintenance", ignore_result=False).get(timeout=30)

    assert proof["holds"] is True
    assert "over-http" in {entry["dedup_key"] for entry in fleet.sandbox.log()}
