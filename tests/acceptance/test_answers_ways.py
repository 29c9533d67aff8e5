"""Where answers from PagerDuty lead: to the alert that is meant, and to nobody where that is unclear."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.audit.service import AuditRules, AuditService
from tasks.notifications.channels.protocol import Address
from tasks.notifications.service import Route
from tasks.utils.identifiers import alert_uid, wire_key
from tasks.webhooks.answers import Answers, ParkingRules
from tests.acceptance.test_answers import said, turn
from tests.pipeline import DEADLINES, STANDBY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

DISK = alert_uid("shop", "disk")


def statuses(kit: Pipeline, *keys: str) -> list[str]:
    return [kit.current.get(alert_uid("shop", key)).status for key in keys]


def two_services_with_one_key(pipeline: Pipeline, sandbox: Sandbox) -> None:
    """The alert `disk` of shop and of solo, by different routing keys."""
    url = f"{sandbox.url}/v2/enqueue"
    other = Address("standby", "pagerduty", url, {"kid-standby": STANDBY_KEY})
    routes = {**pipeline.routes(), "solo": Route([other], DEADLINES)}
    kit = pipeline.delivery
    pipeline.delivery = type(kit)(pipeline.client, pipeline.keys, routes, pipeline.dispatch(), kit._rules, kit._teller)
    pipeline.submit(alert("disk"), {**alert("disk"), "service": "solo"})
    pipeline.deliver()


def test_where_two_alerts_have_the_same_dedup_key_nobody_guesses_which_is_meant(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, client: Any, keys: Keys
) -> None:
    two_services_with_one_key(pipeline, sandbox)
    answers = Answers(client, keys)

    assert answers.observe(said(clock, "resolved", service_id="PSOLO")).state == "ambiguous"
    turn(pipeline)
    assert statuses(pipeline, "disk") == ["open"]

    client.hset(keys.homes, mapping={"kid-primary": "PSHOP", "kid-standby": "PSOLO POTHER"})
    assert answers.observe(said(clock, "resolved", service_id="PSOLO")).changes == {
        alert_uid("solo", "disk"): "resolved"
    }
    turn(pipeline)
    assert statuses(pipeline, "disk") == ["open"]
    assert client.zcard(keys.parked_incidents) == 0


def test_two_alerts_of_one_routing_key_and_dedup_key_share_their_incident(
    pipeline: Pipeline, clock: MovableClock, client: Any, keys: Keys
) -> None:
    pipeline.submit(alert("disk"), {**alert("disk"), "service": "solo"})
    pipeline.deliver()

    observed = Answers(client, keys).observe(said(clock, "acknowledged"))

    assert set(observed.changes) == {DISK, alert_uid("solo", "disk")}


def test_what_pagerduty_groups_into_one_incident_is_answered_as_one(
    pipeline: Pipeline, clock: MovableClock, client: Any, keys: Keys
) -> None:
    pipeline.submit(alert("disk"), alert("cpu"))
    pipeline.deliver()

    Answers(client, keys).observe(said(clock, "acknowledged", key=None, keys=("disk", "cpu")))
    turn(pipeline)

    assert statuses(pipeline, "disk", "cpu") == ["acknowledged", "acknowledged"]


def test_a_key_too_long_for_the_wire_finds_its_alert(
    pipeline: Pipeline, clock: MovableClock, client: Any, keys: Keys
) -> None:
    key = "k" * 300
    pipeline.submit(alert(key))
    pipeline.deliver()

    observed = Answers(client, keys).observe(said(clock, "triggered", key=wire_key(key)))

    assert observed.changes == {alert_uid("shop", key): "seen"}


def test_the_alert_shows_its_incident_and_the_trail_tells_the_answers(
    pipeline: Pipeline, clock: MovableClock, client: Any, keys: Keys, tmp_path: Path
) -> None:
    [opened] = pipeline.submit(alert("disk"))
    pipeline.deliver()
    answers = Answers(client, keys)
    for status in ("triggered", "acknowledged", "resolved"):
        answers.observe(
            said(clock, status, 7, who="Ann Example", html_url="https://acme.pagerduty.com/incidents/PINC7")
        )
        turn(pipeline)
    audit = AuditService(client, keys, AuditRules(tmp_path))

    [incident] = pipeline.current.get(DISK).incidents
    assert (incident.number, incident.status, incident.answered_by) == (7, "resolved", "Ann Example")
    texts = [step.text for step in audit.story(opened.id)]
    assert texts[-3:] == [
        "PagerDuty shows it as incident #7 PINC7",
        "acknowledged in PagerDuty, incident #7 PINC7 by Ann Example",
        "resolved in PagerDuty, incident #7 PINC7 by Ann Example",
    ]
    [trail] = audit.trails("disk", ["shop"])
    assert "suppressed by rule resolved_by_pagerduty: it was resolved in PagerDuty" in [
        step.text for step in trail.steps
    ]
    assert audit.prove().holds


def test_an_incident_that_is_opened_again_opens_its_alert_again(
    pipeline: Pipeline, clock: MovableClock, client: Any, keys: Keys, sandbox: Sandbox
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    answers = Answers(client, keys)
    answers.observe(said(clock, "resolved"))
    turn(pipeline)
    clock.advance(timedelta(seconds=10))

    assert answers.observe(said(clock, "triggered")).changes == {DISK: "reopened"}
    assert statuses(pipeline, "disk") == ["open"]

    pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()
    assert [entry["event_action"] for entry in sandbox.log()] == ["trigger", "resolve"]


def test_what_pagerduty_closed_and_our_sender_opens_anew_is_not_opened_by_late_news(
    pipeline: Pipeline, clock: MovableClock, client: Any, keys: Keys
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    answers = Answers(client, keys)
    opened, acknowledged = said(clock, "triggered"), said(clock, "acknowledged")
    clock.advance(timedelta(seconds=5))
    pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()

    answers.observe(opened)
    answers.observe(acknowledged)
    turn(pipeline)

    assert statuses(pipeline, "disk") == ["resolved"]


def test_parked_incidents_are_bounded_in_number_and_age(clock: MovableClock, client: Any, keys: Keys) -> None:
    answers = Answers(client, keys, ParkingRules(most=10, longest=timedelta(hours=1)))

    for number in range(1, 16):
        answers.observe(said(clock, "triggered", number, key=f"key-{number}"))
    assert client.zcard(keys.parked_incidents) == client.hlen(keys.parked_news) == client.hlen(keys.parked_keys) == 10
    assert client.zscore(keys.parked_incidents, "PINC15") is not None

    clock.advance(timedelta(hours=2))
    answers.observe(said(clock, "triggered", 99))
    assert client.zrange(keys.parked_incidents, 0, -1) == ["PINC99"]
    assert client.hget(keys.answer_counts, "parked_dropped") == "15"


def test_what_leads_to_an_alert_goes_with_it(
    pipeline: Pipeline, clock: MovableClock, client: Any, keys: Keys, tmp_path: Path
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    answers = Answers(client, keys)
    for status in ("triggered", "resolved"):
        answers.observe(said(clock, status))
    turn(pipeline)
    audit = AuditService(client, keys, AuditRules(tmp_path))
    assert json.loads(client.hget(keys.answers, DISK))

    clock.advance(timedelta(hours=49))
    audit.seal()
    audit.archive()

    assert client.hlen(keys.wired) == client.hlen(keys.incidents) == client.exists(keys.alert(DISK)) == 0


def test_an_incident_of_a_service_our_key_does_not_lead_to_is_not_taken_for_ours(
    pipeline: Pipeline, clock: MovableClock, client: Any, keys: Keys
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    client.hset(keys.homes, "kid-primary", "PSHOP")
    answers = Answers(client, keys)

    assert answers.observe(said(clock, "resolved", service_id="PELSE")).state == "ambiguous"
    assert answers.observe(said(clock, "triggered", 2, service_id="PSHOP")).changes == {DISK: "seen"}


def test_an_acknowledge_that_comes_after_our_own_resolve_is_overtaken(
    pipeline: Pipeline, clock: MovableClock, client: Any, keys: Keys, sandbox: Sandbox
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()

    Answers(client, keys).observe(said(clock, "acknowledged"))
    pipeline.submit(alert("disk", "resolve"))
    turn(pipeline)

    assert statuses(pipeline, "disk") == ["resolved"]
    assert [entry["event_action"] for entry in sandbox.log()] == ["trigger", "resolve"]
