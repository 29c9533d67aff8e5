"""What is said of an alert beforehand is what becomes of it, and saying it changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.alerts.models import SilenceDraft
from tasks.utils.error_handler import InvalidAlertError, UnknownError
from tasks.utils.identifiers import key_id
from tasks.utils.rows import new_event_id
from tests.acceptance.routed import KEYS, follow, send, trigger

if TYPE_CHECKING:
    from tasks.alerts.explanation import Explanation
    from tasks.runtime import Runtime
    from tasks.utils.clock import MovableClock
    from tests.acceptance.routed import Fleet

ROUTES = """
- {name: log, match: [team=~.+], channels: [desk], continue: true}
- {name: loud, match: [team=web], severity: [critical], channels: [night, standby]}
- {name: database, match: [team=db], service: database}
- name: weekend
  times: [{days: [sat, sun]}]
  time_zone: Europe/Berlin
  channels: [night, standby]
"""
RULES = """
inhibition:
  - {name: site, source: [alertname=SiteDown], target: [severity=~warning|info], equal: [site]}
flapping: {changes: 3}
"""
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


def explain(runtime: Runtime, alert: dict[str, Any], **asked: Any) -> Explanation:
    (one,) = runtime.explainer.explain([alert], **asked)
    return one


def everything(client: Any) -> dict[str, bytes]:
    """The whole keyspace."""
    return {key: client.dump(key) for key in client.keys("*")}


def test_the_way_is_told_with_its_reasons_and_channels_but_no_keys(fleet: Fleet) -> None:
    runtime = fleet.configured(ROUTES)

    told = explain(runtime, trigger(team="web"), at=MONDAY)

    assert told.destinations == ["shop/desk", "shop/night"]
    assert [(way.route, way.why) for way in told.ways] == [
        ("log", ["team=~.+"]),
        ("loud", ["team=web", "severity: critical"]),
    ]
    assert [(c.name, c.kind, c.key_id) for c in told.ways[1].channels] == [
        ("night", "pagerduty", key_id(KEYS["night"])),
        ("standby", "pagerduty", key_id(KEYS["standby"])),
    ]
    assert not any(key in told.model_dump_json() for key in KEYS.values())


def test_an_alert_that_no_route_fits_takes_the_default_route(fleet: Fleet) -> None:
    told = explain(fleet.configured(ROUTES), trigger(), at=MONDAY)

    assert [(way.route, way.destination) for way in told.ways] == [("default route", "shop")]
    assert [channel.name for channel in told.ways[0].channels] == ["primary", "standby"]


def test_another_time_can_be_asked_for(fleet: Fleet) -> None:
    told = explain(fleet.configured(ROUTES), trigger(), at=MONDAY - timedelta(days=1))

    assert told.ways[0].why == ["sat,sun 00:00-24:00 Europe/Berlin"]


def test_a_route_can_be_asked_why_it_is_not_taken(fleet: Fleet) -> None:
    runtime = fleet.configured(ROUTES)

    told = explain(runtime, trigger(severity="info", team="web"), at=MONDAY, routes=["loud", "weekend", "log"])

    loud, weekend, log = told.looks
    assert (loud.verdict, loud.failed, loud.held) == ("unfit", ["severity: critical (it is 'info')"], ["team=web"])
    assert weekend.failed == ["sat,sun 00:00-24:00 Europe/Berlin (it is Mon 13:00)"]
    assert log.verdict == "taken"
    with pytest.raises(UnknownError, match=r"no route 'laud'; did you mean loud\?"):
        explain(runtime, trigger(), routes=["laud"])


def test_what_would_be_mended_is_named_and_what_cannot_be_is_refused_with_every_fault(fleet: Fleet) -> None:
    runtime = fleet.configured()
    assert explain(runtime, trigger(severity="fatal")).adaptations == ["severity_replaced"]

    with pytest.raises(InvalidAlertError) as refused:
        runtime.explainer.explain([trigger(), {"event_action": "trigger"}, trigger() | {"service": "shob"}])

    assert [error.partition(": ")[0] for error in refused.value.errors] == ["alert 2", "alert 3"]
    assert "known: database, shop" in refused.value.errors[1]


def test_the_explanation_of_every_kind_of_alert_comes_true(fleet: Fleet, clock: MovableClock) -> None:
    runtime = fleet.configured(ROUTES, more=RULES)
    draft = SilenceDraft(matchers=["alertname=Noise"], duration_seconds=600, author="ann", comment="planned")
    silence = runtime.silences.create(draft)
    send(runtime, trigger("open", team="web"), trigger("site", alertname="SiteDown", site="eu"))
    for _ in range(4):
        send(runtime, trigger("flaps"), follow("resolve", "flaps"))

    expected = {
        "merged": (trigger("open", team="web"), "it says the same as event"),
        "silenced": (trigger("noise", alertname="Noise"), f"silence:{silence.id}"),
        "inhibited": (trigger("slow", "warning", site="eu"), "inhibition:site"),
        "inhibited elsewhere": (trigger("slow-us", "warning", site="us"), ""),
        "flapping": (trigger("flaps"), "flapping"),
        "last word of flapping": (follow("resolve", "flaps"), "flapping"),
        "acknowledged while flapping": (follow("acknowledge", "flaps"), ""),
        "new": (trigger("new", team="db"), ""),
        "follows": (follow("resolve", "open"), ""),
        "follows nothing": (follow("resolve", "unknown"), ""),
        "no key": ({k: v for k, v in trigger(team="web").items() if k != "dedup_key"}, ""),
    }
    for alert, why in expected.values():
        told = explain(runtime, alert)
        [decision] = runtime.alerts.submit(new_event_id(), [alert]).alerts

        assert {"queued": "sent"}.get(decision.state, decision.state) == told.outcome, alert
        assert told.outcome_why.startswith(why)
        if decision.state == "queued":
            assert lanes(runtime, decision.id) == sorted(told.destinations)
        if decision.state == "suppressed":
            assert decision.reason == told.outcome_why


def lanes(runtime: Runtime, event_id: str) -> list[str]:
    """Where an event and its copies wait."""
    client, prefix = runtime.client, runtime.keys.event("")
    ids = [key.removeprefix(prefix) for key in client.keys(f"{prefix}{event_id}*")]
    return sorted(client.hget(runtime.keys.event(one), "lane").partition("@")[2] for one in ids)


def test_rules_that_match_are_told_with_their_reason_in_force_or_not(fleet: Fleet) -> None:
    runtime = fleet.configured(more=RULES)
    draft = SilenceDraft(matchers=["team=web"], duration_seconds=600, author="ann", comment="new switch")
    silence = runtime.silences.create(draft)

    now, later = (
        explain(runtime, trigger(severity="info", team="web"), at=at)
        for at in (None, datetime.now(UTC) + timedelta(hours=1))
    )

    assert [(rule.rule, rule.in_force) for rule in now.rules] == [
        (f"silence:{silence.id}", True),
        ("inhibition:site", False),
    ]
    assert now.rules[0].about.endswith("by ann: new switch")
    assert (now.outcome, later.outcome) == ("suppressed", "sent")


def test_a_resolve_follows_its_alert_whatever_the_routes_say_now(fleet: Fleet) -> None:
    send(fleet.configured("- {name: a, match: [team=web], channels: [night]}"), trigger(team="web"))

    told = explain(fleet.configured("- {name: a, match: [team=web], channels: [desk]}"), follow("resolve"))

    assert (told.follows, told.destinations) == (True, ["shop/night"])
    assert [(c.name, c.key_id) for c in told.ways[0].channels] == [("night", key_id(KEYS["night"]))]


def test_explaining_sends_nothing_and_writes_nothing(fleet: Fleet, client: Any) -> None:
    runtime = fleet.configured(ROUTES, more=RULES)
    send(runtime, trigger(team="web"))
    alerts = [trigger(team="web"), trigger("new", "info", team="db"), follow("resolve"), follow("acknowledge", "x")]
    keys, sent = everything(client), fleet.sent()

    runtime.explainer.explain(alerts, routes=["loud"])
    runtime.delivery.drain()

    assert everything(client) == keys
    assert fleet.sent() == sent


def test_a_user_who_may_only_read_can_ask(fleet: Fleet, client: Any) -> None:
    runtime = fleet.configured(ROUTES, more=RULES)
    send(runtime, trigger(team="web"))
    client.acl_setuser(
        "reader",
        enabled=True,
        nopass=True,
        keys=["*"],
        categories=["+@read", "+@connection"],
        commands=["+time", "+multi", "+exec"],
    )
    reader = fleet.configured(ROUTES, more=RULES)
    reader.client.execute_command("AUTH", "reader", "x")

    assert explain(reader, trigger(severity="info", team="web")).state_known
    client.acl_deluser("reader")
