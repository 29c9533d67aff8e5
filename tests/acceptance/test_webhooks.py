"""Webhooks worked off: from PagerDuty's documents to alerts that are seen, acknowledged, resolved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.identifiers import alert_uid
from tasks.utils.scripts import Scripts
from tasks.webhooks.answers import Answers
from tasks.webhooks.rows import WebhookRows
from tasks.webhooks.service import ProcessRules, WebhookService
from tests.pipeline import Pipeline, alert
from tests.webhook_kit import incident_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

DISK = alert_uid("shop", "disk")


class Wanted:
    """Notes what would be asked for."""

    def __init__(self) -> None:
        self.incidents: list[str] = []

    def wanted(self, incidents: Sequence[str]) -> None:
        self.incidents += incidents

    def work_off(self) -> int:
        return 0


@pytest.fixture
def lookups() -> Wanted:
    return Wanted()


@pytest.fixture
def webhooks(client: Any, keys: Keys, lookups: Wanted) -> WebhookService:
    return WebhookService(client, keys, Answers(client, keys), lookups, ProcessRules(most_tries=2))


def now(clock: MovableClock) -> datetime:
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC)


def test_a_webhook_acknowledges_its_alert(pipeline: Pipeline, webhooks: WebhookService, clock: MovableClock) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()

    report = webhooks.process([incident_event("acknowledged", at=now(clock))])
    pipeline.alerts.drain_inbox()

    assert (report.webhooks, report.matched, report.changes) == (1, 1, 1)
    assert pipeline.current.get(DISK).status == "acknowledged"


def test_a_webhook_that_comes_before_the_answer_to_our_send_finds_its_alert(
    pipeline: Pipeline, webhooks: WebhookService, clock: MovableClock, client: Any, keys: Keys
) -> None:
    """The send has begun, and its answer is not recorded."""
    pipeline.submit(alert("disk"))
    outbox = pipeline.delivery
    claims = outbox._outbox.claim(1, timedelta(seconds=30), "token")
    outbox._begin(claims, "token", 0)

    report = webhooks.process([incident_event("triggered", at=now(clock))])

    assert report.matched == 1
    assert client.zcard(keys.parked_incidents) == 0


def test_without_a_key_an_incident_that_is_known_is_found_by_its_id_and_others_are_asked_for(
    pipeline: Pipeline, webhooks: WebhookService, lookups: Wanted, clock: MovableClock
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    webhooks.process([incident_event("triggered", at=now(clock))])

    known = webhooks.process([incident_event("acknowledged", key=None, at=now(clock))])
    unknown = webhooks.process([incident_event("triggered", number=2, key=None, at=now(clock))])

    assert (known.matched, unknown.matched, unknown.parked) == (1, 0, 1)
    assert lookups.incidents == ["PINC2"]


def test_what_is_no_incident_is_counted_and_what_is_unknown_too(webhooks: WebhookService) -> None:
    documents = [
        {"event": {"id": "1", "event_type": "pagey.ping", "data": {"type": "ping", "message": "hello"}}},
        {"event": {"id": "2", "event_type": "service.updated", "data": {"type": "service", "id": "P1"}}},
        {"event": {"id": "3", "event_type": "incident.annotated", "data": {"type": "incident_note", "content": "x"}}},
        {"event": {"id": "4", "event_type": "incident.teleported", "data": {"type": "wormhole"}}},
        {"event": {"id": "5", "event_type": "incident.teleported", "data": {"type": "incident", "id": 7}}},
    ]

    report = webhooks.process(documents)

    assert (report.webhooks, report.others, report.buried) == (5, 5, 0)


def test_a_document_that_cannot_be_read_becomes_a_dead_letter(
    pipeline: Pipeline, webhooks: WebhookService, client: Any, keys: Keys
) -> None:
    broken = incident_event("resolved")
    del broken["event"]["occurred_at"]

    report = webhooks.process([broken, incident_event("resolved") | {"event": {"event_type": "incident.resolved"}}])

    assert report.buried == 2
    [first, second] = client.zrange(keys.dead, 0, -1)
    assert pipeline.state(first) == pipeline.state(second) == "dead unusable_webhook"
    assert client.hlen(keys.webhooks) == client.zcard(keys.webhooks_due) == 0


def test_what_killed_its_worker_twice_is_a_dead_letter_and_takes_no_others_along(
    pipeline: Pipeline, webhooks: WebhookService, client: Any, keys: Keys, clock: MovableClock
) -> None:
    rows = WebhookRows(client, keys)
    rows.put([incident_event("triggered", number=1)])
    for _ in range(2):
        assert rows.claim(1, timedelta(seconds=30))
        clock.advance(timedelta(seconds=40))
    rows.put([incident_event("triggered", number=2)])

    report = webhooks.process()

    assert (report.webhooks, report.buried, report.parked) == (2, 1, 1)
    [dead] = client.zrange(keys.dead, 0, -1)
    assert pipeline.state(dead) == "dead poison"


def test_a_worker_that_dies_over_webhooks_leaves_them_to_the_next(
    webhooks: WebhookService, client: Any, keys: Keys, clock: MovableClock
) -> None:
    rows = WebhookRows(client, keys)
    rows.put([incident_event("triggered", number=number) for number in (1, 2, 3)])
    assert len(rows.claim(100, timedelta(seconds=30))) == 3

    assert webhooks.process().webhooks == 0
    clock.advance(timedelta(seconds=31))
    assert webhooks.process().webhooks == 3


def test_the_same_document_twice_is_worked_off_once(webhooks: WebhookService) -> None:
    document = incident_event("triggered")

    assert webhooks.process([document]).webhooks == 1
    assert webhooks.process([document]).webhooks == 0


def test_an_incident_that_was_merged_into_another_leaves_its_alert_open(
    pipeline: Pipeline, webhooks: WebhookService, clock: MovableClock
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    webhooks.process([incident_event("triggered", 7, at=now(clock))])
    reason = {"type": "merge_resolve_reason", "incident": {"id": "PINC3", "type": "incident_reference"}}

    webhooks.process([incident_event("resolved", 7, at=now(clock), resolve_reason=reason)])
    pipeline.alerts.drain_inbox()
    assert pipeline.current.get(DISK).status == "open"

    webhooks.process([incident_event("resolved", 3, key=None, at=now(clock))])
    pipeline.alerts.drain_inbox()
    assert pipeline.current.get(DISK).status == "resolved"


def test_a_hint_calls_a_worker_for_webhooks(client: Any, keys: Keys) -> None:
    WebhookRows(client, keys).put([incident_event()])
    assert client.llen(keys.queue("webhook")) == 1

    client.delete(keys.queue("webhook"), keys.hints)
    Scripts(client, keys).run("pump", 1000)
    assert client.llen(keys.queue("webhook")) == 1
