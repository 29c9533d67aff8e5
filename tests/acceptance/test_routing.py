"""Where alerts go by the routes of their service, and how what follows them finds the way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.alerts.models import SilenceDraft
from tests.acceptance.routed import KEYS, follow, send, trigger

if TYPE_CHECKING:
    from tasks.runtime import Runtime
    from tasks.utils.clock import MovableClock
    from tests.acceptance.routed import Fleet
    from tests.conftest import Sandbox

ROUTES = """
- {name: log, match: [team=~.+], channels: [desk], continue: true}
- {name: loud, match: [team=web], severity: [critical], channels: [night, standby]}
- {name: database, match: [team=db], service: database}
"""


def steps(runtime: Runtime, event_id: str) -> list[str]:
    return [entry["s"] for _, entry in runtime.client.xrange(runtime.keys.ledger) if entry["e"] == event_id]


def test_an_alert_takes_the_channels_of_the_route_that_fits(fleet: Fleet) -> None:
    runtime = fleet.configured("- {name: loud, severity: [critical], channels: [night, standby]}")

    send(runtime, trigger("disk"), trigger("cpu", severity="info"))

    assert sorted(fleet.sent()) == [("night", "opened"), ("primary", "opened")]


def test_two_routes_by_continue_get_the_whole_story_each(fleet: Fleet) -> None:
    runtime = fleet.configured(ROUTES)

    [event_id] = send(runtime, trigger(team="web"))
    send(runtime, follow("acknowledge"))
    send(runtime, follow("resolve"))

    sent = fleet.sent()
    for name in ("desk", "night"):
        assert [outcome for to, outcome in sent if to == name] == ["opened", "acknowledged", "resolved"]
    assert len(sent) == 6
    assert steps(runtime, event_id) == ["accepted", "attempt", "sent"]
    assert steps(runtime, f"{event_id}+shop~night") == ["accepted", "attempt", "sent"]
    assert runtime.audit.prove().holds


def test_a_change_of_labels_adds_a_destination_and_the_resolve_goes_to_both(fleet: Fleet) -> None:
    runtime = fleet.configured(
        "- {name: loud, severity: [critical], channels: [night]}\n- {name: rest, match: [team=db], channels: [desk]}"
    )

    send(runtime, trigger(severity="warning", team="db"))
    send(runtime, trigger(severity="critical", team="db"))
    send(runtime, follow("resolve"))

    sent = fleet.sent()
    assert sent[:2] == [("desk", "opened"), ("night", "opened")]
    assert sorted(sent[2:]) == [("desk", "resolved"), ("night", "resolved")]


def test_what_follows_an_alert_takes_its_way_after_the_routes_have_changed(fleet: Fleet) -> None:
    before = fleet.configured("- {name: loud, match: [team=web], channels: [night]}")
    send(before, trigger(team="web"))

    after = fleet.configured("- {name: loud, match: [team=web], channels: [desk]}")
    send(after, follow("acknowledge"), follow("resolve"))
    send(after, trigger(team="web"))

    assert fleet.sent() == [
        ("night", "opened"),
        ("night", "acknowledged"),
        ("night", "resolved"),
        ("desk", "opened"),
    ]


def test_what_waits_for_a_route_that_is_no_more_takes_the_services_own_channels(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    before = fleet.configured("- {name: loud, match: [team=web], channels: [night]}")
    sandbox.fault(kind="error", status=503, key=KEYS["night"])
    send(before, trigger(team="web"))

    after = fleet.configured()
    clock.advance(timedelta(seconds=2))
    after.delivery.drain()

    assert fleet.sent()[-1] == ("primary", "opened")


def test_a_hand_over_takes_the_other_services_channels_and_its_resolve_follows(fleet: Fleet) -> None:
    runtime = fleet.configured("- {name: database, match: [team=db], service: database}")

    send(runtime, trigger(team="db"))
    send(runtime, trigger("disk") | {"service": "database"})
    send(runtime, follow("resolve"))

    sent = fleet.sent()
    assert [to for to, _ in sent] == ["database", "database", "database"]
    assert sent[-1] == ("database", "resolved")


def test_within_a_routes_list_the_next_channel_takes_over(fleet: Fleet, sandbox: Sandbox, clock: MovableClock) -> None:
    runtime = fleet.configured("- {name: loud, match: [team=web], channels: [night, standby]}")
    sandbox.fault(kind="error", status=500, key=KEYS["night"])
    send(runtime, trigger(team="web"))
    clock.advance(timedelta(seconds=61))
    runtime.delivery.drain()
    assert fleet.sent()[-1] == ("standby", "opened")

    sandbox.heal()
    send(runtime, follow("resolve"))
    runtime.delivery.drain()

    resolved = {entry["routing_key"] for entry in sandbox.log() if entry["event_action"] == "resolve"}
    assert resolved == {KEYS["night"], KEYS["standby"]}


def test_one_destination_that_is_down_does_not_hold_up_the_other(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = fleet.configured(ROUTES)
    sandbox.fault(kind="error", status=503, key=KEYS["desk"])

    send(runtime, trigger(team="db"))
    assert ("database", "opened") in fleet.sent()

    sandbox.heal()
    clock.advance(timedelta(seconds=2))
    runtime.delivery.drain()
    assert ("desk", "opened") in fleet.sent()


def test_the_time_of_day_decides_by_the_fleets_clock(fleet: Fleet, clock: MovableClock) -> None:
    now = clock.now()
    begins = now + timedelta(hours=2)
    window = f'{{days: [{begins:%a}], from: "{begins:%H:%M}", to: "{begins + timedelta(hours=1):%H:%M}"}}'
    runtime = fleet.configured(f"- {{name: later, times: [{window}], channels: [night]}}")

    send(runtime, trigger("now"))
    clock.advance(timedelta(hours=2, minutes=1))
    send(runtime, trigger("later"))

    assert fleet.sent() == [("primary", "opened"), ("night", "opened")]


def test_a_change_event_is_routed_by_its_labels(fleet: Fleet, sandbox: Sandbox) -> None:
    runtime = fleet.configured("- {name: deploys, match: [action=change], channels: [desk]}")
    change: dict[str, Any] = {"service": "shop", "event_action": "change", "payload": {"summary": "deployed"}}

    [event_id] = send(runtime, change)

    assert runtime.client.hget(runtime.keys.event(event_id), "state") == "sent"
    assert fleet.sent() == [("desk", "recorded")]


def test_a_dead_copy_is_replayed_to_its_own_destination_only(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = fleet.configured(
        "- {name: log, match: [team=~.+], channels: [desk], continue: true}\n- {name: loud, channels: [night]}"
    )
    sandbox.fault(kind="reject", status=401, key=KEYS["night"])
    [event_id] = send(runtime, trigger(team="web"))
    copy = f"{event_id}+shop~night"
    assert runtime.client.hmget(runtime.keys.event(copy), "state", "reason") == ["dead", "key_rejected"]

    sandbox.heal()
    sandbox.clear_log()
    clock.advance(timedelta(minutes=11))
    assert runtime.delivery.replay([copy]).replayed == [copy]
    runtime.alerts.drain_inbox()
    runtime.delivery.drain()

    assert fleet.sent() == [("night", "opened")]
    assert runtime.audit.prove().holds


def test_what_a_silence_held_back_takes_its_routes_once_the_silence_ends(fleet: Fleet) -> None:
    runtime = fleet.configured(ROUTES)
    draft = SilenceDraft(matchers=["team=web"], duration_seconds=600, author="ann", comment="planned")
    silence = runtime.silences.create(draft)
    send(runtime, trigger(team="web"))
    assert fleet.sent() == []

    runtime.silences.expire(silence.id, "ann")
    runtime.alerts.drain_inbox()
    runtime.delivery.drain()

    assert sorted(fleet.sent()) == [("desk", "opened"), ("night", "opened")]
