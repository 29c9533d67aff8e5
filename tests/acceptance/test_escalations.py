"""Somebody answers: timers start with the alert, go on step by step, and end by a named reason; by the movable clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tasks.notifications.channels.protocol import Address
from tasks.notifications.dispatch import Dispatch
from tasks.notifications.letters import Letters
from tasks.notifications.service import DeliveryService, Route
from tasks.notifications.telling import Teller
from tasks.utils.metrics_collector import Metrics
from tests.acceptance.escalation_world import MINUTE, UID, Tower, policy
from tests.acceptance.group_world import Desk, Words
from tests.pipeline import DEADLINES, PRIMARY_KEY, STANDBY_KEY, alert

if TYPE_CHECKING:
    from tasks.utils.bundles import Bundle
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox


def test_a_timer_starts_with_its_alert_once(tower: Tower) -> None:
    tower.submit(alert(), message="first")
    tower.submit(alert(), message="first")
    tower.submit(alert(severity="error"))

    assert tower.story() == ["started"]
    assert tower.due_in() == 300


def test_what_fires_is_resolved_and_fires_anew_within_one_moment_escalates_by_its_new_episode(tower: Tower) -> None:
    tower.submit(alert(), alert(action="resolve"), alert())

    assert tower.story() == ["started", "ended resolved", "started"]
    assert tower.state() == "running"
    assert tower.due_in() == 300


def test_an_alert_that_is_merged_silenced_or_of_a_service_without_policy_starts_none(tower: Tower) -> None:
    tower.silence("summary=~held.*")
    tower.submit(alert("held"), {**alert("other"), "service": "solo"})

    assert tower.client.zcard(tower.keys.escalations_due) == 0


def test_what_a_silence_held_back_escalates_once_it_is_let_go(tower: Tower, clock: MovableClock) -> None:
    tower.silence("service=shop", minutes=10)
    tower.submit(alert())

    clock.advance(11 * MINUTE)
    tower.alerts.drain_inbox()

    assert tower.due_in() == 300


def test_each_step_is_taken_when_it_is_due_and_then_the_policy_is_used_up(
    tower: Tower, clock: MovableClock, sandbox: Sandbox
) -> None:
    tower.submit(alert())
    tower.deliver()
    assert tower.advance() == 0

    clock.advance(5 * MINUTE)
    assert (tower.advance(), tower.advance()) == (1, 0)
    tower.deliver()
    assert [entry["routing_key"] for entry in sandbox.log()] == [PRIMARY_KEY, STANDBY_KEY]
    assert tower.due_in() == 600

    clock.advance(10 * MINUTE)
    tower.advance()
    assert tower.deliver() == 1
    assert tower.story() == ["started", "escalated backup", "escalated boss", "ended exhausted"]
    assert tower.state() == "done exhausted"


def test_a_user_of_pagerduty_is_reached_by_an_action_that_is_written_down_with_the_step(
    tower: Tower, clock: MovableClock
) -> None:
    tower.submit(alert())
    for minutes in (5, 10):
        clock.advance(minutes * MINUTE)
        tower.advance()

    [action] = tower.client.zrange(tower.keys.actions_due, 0, -1)
    wish = tower.client.hget(tower.keys.action(action), "wish")
    assert '"users": ["PBOSS01"]' in wish
    assert '"targets": ["disk"]' in wish


def test_what_a_step_opened_is_closed_by_the_alerts_resolve(
    tower: Tower, clock: MovableClock, sandbox: Sandbox
) -> None:
    tower.submit(alert())
    tower.deliver()
    clock.advance(5 * MINUTE)
    tower.advance()
    tower.deliver()

    tower.submit(alert(action="resolve"))
    tower.deliver()

    assert tower.state() == "cancelled resolved"
    assert {incident["status"] for incident in sandbox.incidents()} == {"resolved"}
    assert len(sandbox.incidents()) == 2


@pytest.mark.parametrize(
    ("action", "state"), [("acknowledge", "acknowledged acknowledged"), ("resolve", "cancelled resolved")]
)
def test_an_answer_ends_the_calling(tower: Tower, clock: MovableClock, action: str, state: str) -> None:
    tower.submit(alert())
    tower.submit(alert(action=action))

    clock.advance(60 * MINUTE)

    assert tower.advance() == 0
    assert tower.state() == state


def test_an_acknowledgement_that_timed_out_makes_the_first_step_due_again(tower: Tower, clock: MovableClock) -> None:
    tower.under(policy(acknowledgement_timeout=30 * MINUTE))
    tower.submit(alert())
    clock.advance(5 * MINUTE)
    tower.advance()
    tower.submit(alert(action="acknowledge"))

    clock.advance(30 * MINUTE)
    tower.advance()

    assert tower.story() == [
        "started",
        "escalated backup",
        "stopped acknowledged",
        "resumed acknowledge_timed_out",
        "escalated backup",
    ]
    assert tower.client.hget(tower.keys.alert(UID), "status") == "open"


def test_an_alert_nobody_sees_to_is_resolved_by_itself_where_its_policy_says_so(
    tower: Tower, clock: MovableClock
) -> None:
    tower.under(policy(auto_resolve=60 * MINUTE))
    tower.submit(alert())
    for minutes in (5, 10):
        clock.advance(minutes * MINUTE)
        tower.advance()
    assert tower.due_in() == 45 * 60

    clock.advance(45 * MINUTE)
    tower.advance()
    tower.alerts.drain_inbox()

    assert tower.state() == "done auto_resolved"
    assert tower.client.hget(tower.keys.alert(UID), "status") == "resolved"


def test_the_next_episode_escalates_anew(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    tower.submit(alert(action="resolve"))
    clock.advance(MINUTE)
    tower.submit(alert(severity="error"))

    assert tower.story() == ["started", "ended resolved", "started"]
    assert tower.due_in() == 300


def test_a_policy_is_frozen_at_the_start_and_forgotten_with_the_last_escalation(
    tower: Tower, clock: MovableClock
) -> None:
    tower.submit(alert(), alert("mail"))
    tower.under(policy(name="edited", steps=()))
    assert tower.client.hlen(tower.keys.policies) == 1
    clock.advance(5 * MINUTE)

    assert tower.advance() == 2
    assert list(tower.client.hvals(tower.keys.policy_uses)) == ["2"]


def test_a_repeated_policy_goes_round(tower: Tower, clock: MovableClock) -> None:
    tower.under(policy(repeats=1, repeat_after=20 * MINUTE))
    tower.submit(alert())
    for minutes in (5, 10, 20, 10):
        clock.advance(minutes * MINUTE)
        assert tower.advance() == 1

    assert tower.state() == "done exhausted"


def test_lateness_is_told(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    clock.advance(timedelta(minutes=5, seconds=42))
    report = tower.escalations.advance()

    assert report.latest_ms // 1000 in (41, 42)
    assert round(tower.lateness[0]) == 42


def test_a_step_to_people_is_told_at_once_and_its_end_too(tower: Tower, clock: MovableClock) -> None:
    desk = Desk()
    teller, dispatch = (
        Teller(Metrics()),
        Dispatch({**tower.channels(), "slack": desk}, Letters(tower.client, tower.keys, Words)),
    )
    chat = Route([Address("standby", "slack", "", {"kid-desk": "secret"})], DEADLINES)
    tower.delivery.close()
    tower.delivery = DeliveryService(
        tower.client, tower.keys, {**tower.routes(), "shop/standby": chat}, dispatch, tower.delivery._rules, teller
    )
    tower.client.set(tower.keys.epoch, "1700000000000")
    keys = [f"disk{number}" for number in range(3)]
    tower.submit(*(alert(key) for key in keys))
    clock.advance(5 * MINUTE)
    assert tower.advance() == 3

    go_on(tower)
    assert (len(desk.taken), desk.taken[0].open, in_any_order(desk.taken[0])) == (1, 3, keys)

    tower.submit(*(alert(key, action="resolve") for key in keys))
    clock.advance(MINUTE)
    go_on(tower)
    assert (desk.taken[-1].action, in_any_order(desk.taken[-1])) == ("resolve", keys)


def in_any_order(bundle: Bundle) -> list[str]:
    """Whom a bundle tells of; those due in one moment have no order."""
    return sorted(member.dedup_key for member in bundle.members)


def go_on(tower: Tower) -> None:
    """Send, bundle, send."""
    tower.delivery.drain()
    tower.delivery.digest()
    tower.delivery.drain()
