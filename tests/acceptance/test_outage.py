"""PagerDuty is down: nothing is lost, people hear of it elsewhere, nobody is called twice, and its return is not a second storm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.group_world import at_desk, told
from tests.acceptance.outage_kit import DOWN, SECOND, Outage, check
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, alert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox


@pytest.fixture
def kit(client: Any, keys: Keys, sandbox: Sandbox, clock: MovableClock, tmp_path: Path) -> Iterator[Outage]:
    Outage.sandbox, Outage.clock = sandbox, clock
    kit = at_desk(Outage, client, keys, sandbox.url, tmp_path)
    assert isinstance(kit, Outage)
    kit.start()
    yield kit
    kit.delivery.close()


def states(kit: Outage) -> dict[str, str]:
    return {view.name.partition("//")[2].partition(":")[0]: view.state for view in kit.breakers.list()}


def test_once_the_breaker_is_open_an_alert_is_told_to_people_at_once_and_pagerduty_is_left_alone(kit: Outage) -> None:
    kit.open_breaker()
    kit.pass_time(40, 10)
    asked = kit.asked()

    [decision] = kit.submit(alert("disk"))
    read = kit.go()

    assert read == ["trigger, 2 open: +disk"]
    assert kit.asked() == asked
    assert kit.state(decision.id) == "sent desk"
    [moved] = [e for _, e in kit.client.xrange(kit.keys.ledger) if (e["e"], e["s"]) == (decision.id, "next_channel")]
    assert (moved["r"], moved["d"]) == ("breaker_open", "desk")


def test_people_are_told_what_is_down_and_since_when(kit: Outage) -> None:
    began = kit.clock.now()
    kit.open_breaker()
    kit.pass_time(40, 10)

    outage = kit.desk.taken[0].outage
    assert outage is not None
    assert outage.name == kit.primary.endpoint
    assert abs(outage.since - began) < 3 * SECOND
    assert not outage.is_forced


def test_what_is_told_elsewhere_for_another_reason_says_nothing_of_an_outage(kit: Outage) -> None:
    kit.sandbox.fault(kind="reject", status=403, key=PRIMARY_KEY)
    kit.submit(alert("disk"))
    kit.pass_time(40, 10)

    assert [told(bundle) for bundle in kit.desk.taken] == ["trigger, 1 open: +disk"]
    assert kit.desk.taken[0].outage is None


def test_a_person_may_switch_pagerduty_off_and_people_read_that_somebody_did(kit: Outage) -> None:
    kit.breakers.force(kit.primary.endpoint, "open", 10 * 60 * SECOND, "ann", "they announced it")
    kit.submit(alert("disk"))
    kit.pass_time(2)

    outage = kit.desk.taken[0].outage
    assert outage is not None
    assert outage.is_forced
    assert kit.asked() == 0


def test_where_there_is_no_other_channel_an_alert_waits_without_using_up_attempts_or_workers(kit: Outage) -> None:
    kit.start(kit.primary)
    kit.open_breaker()
    [decision] = kit.submit(alert("disk"))
    asked = kit.asked()

    kit.pass_time(50, 5)

    assert kit.event(decision.id)["attempts"] == "0"
    assert kit.asked() == asked
    assert not kit.client.hlen(kit.keys.leases)
    kit.sandbox.heal()
    kit.pass_time(40, 5)
    assert kit.state(decision.id) == "sent primary"


def test_when_the_pause_is_over_one_lane_asks_for_all(kit: Outage) -> None:
    kit.start(kit.primary)
    kit.open_breaker()
    kit.submit(*(alert(f"k{n}") for n in range(30)))
    kit.pass_time(20, 5)
    asked = kit.asked()

    kit.pass_time(60, 1)

    assert kit.asked() == asked + 1
    kit.sandbox.heal()
    kit.pass_time(150, 1)
    assert kit.asked() == asked + 1 + 31
    assert {change.state for change in kit.breakers.history()} == {"open", "half_open", "closed"}


def test_a_worker_that_dies_while_it_asks_does_not_keep_the_others_waiting(kit: Outage) -> None:
    kit.start(kit.primary)
    kit.open_breaker()
    [decision] = kit.submit(alert("disk"))
    kit.sandbox.heal()
    kit.clock.advance(61 * SECOND)
    delivery = kit.delivery
    [claim] = delivery._outbox.claim(1, 30 * SECOND, "dead-worker")
    assert delivery._outbox.begin([(claim, delivery._plan("shop"))], "dead-worker").attempts

    kit.pass_time(20, 5)
    assert kit.state(decision.id) == "queued"
    kit.pass_time(40, 5)

    assert kit.state(decision.id) == "sent primary"


def test_a_resolve_of_what_is_open_at_pagerduty_waits_for_it_and_is_told_elsewhere_meanwhile(kit: Outage) -> None:
    [trigger] = kit.submit(alert("disk"))
    kit.go()
    assert kit.state(trigger.id) == "sent primary"
    kit.open_breaker()
    [resolve] = kit.submit(alert("disk", "resolve"))
    kit.pass_time(40, 5)
    assert kit.state(resolve.id) == "queued"

    kit.sandbox.heal()
    kit.pass_time(60, 5)

    assert kit.state(resolve.id) == "sent primary"
    assert [i["status"] for i in kit.sandbox.incidents()] == ["resolved"]


def test_what_fires_and_resolves_within_an_outage_is_never_sent(kit: Outage) -> None:
    kit.start(kit.primary)
    kit.open_breaker()
    asked = kit.asked()
    [trigger] = kit.submit(alert("disk"))
    kit.pass_time(10)
    [resolve] = kit.submit(alert("disk", "resolve"))

    kit.sandbox.heal()
    kit.pass_time(100, 5)

    assert kit.state(trigger.id) == "suppressed resolved_before_send"
    assert kit.state(resolve.id) == "suppressed nothing_was_sent"
    assert kit.asked() == asked + 1  # the first one, which was noticed by


def test_the_standby_has_a_breaker_of_its_own_and_a_resolve_goes_where_the_alert_was_opened(kit: Outage) -> None:
    kit.start(kit.primary, kit.standby)
    kit.sandbox.fault(**DOWN, key=PRIMARY_KEY)
    [first] = kit.submit(alert("first"))
    while kit.state(first.id) != "sent standby":
        kit.clock.advance(SECOND)
        kit.go()
    assert states(kit) == {"127.0.0.1": "open"}

    [trigger] = kit.submit(alert("disk"))
    kit.go()
    assert kit.state(trigger.id) == "sent standby"
    kit.sandbox.heal()
    kit.clock.advance(61 * SECOND)
    [resolve] = kit.submit(alert("disk", "resolve"))
    kit.go()

    assert kit.state(resolve.id) == "sent standby"
    assert [e["routing_key"] for e in kit.sandbox.log() if e["event_action"] == "resolve"] == [STANDBY_KEY]


def test_what_waits_for_the_keys_budget_goes_on_to_people_soon_after_the_breaker_opens(kit: Outage) -> None:
    kit.start(replace(kit.primary, limit=30), kit.people)
    kit.submit(*(alert(f"k{n}") for n in range(28)))
    kit.pass_time(3)
    waiting = kit.client.hlen(kit.keys.parking)
    assert waiting > 5

    kit.breakers.force(kit.primary.endpoint, "open", 300 * SECOND, "ann", "announced")
    kit.pass_time(31)

    read = [member for bundle in kit.desk.taken for member in bundle.members]
    assert len(read) == waiting
    assert not kit.client.hlen(kit.keys.parking)


def test_a_client_error_never_opens_a_breaker(kit: Outage) -> None:
    kit.start(kit.primary)
    for status in (400, 404, 422):
        kit.sandbox.fault(kind="reject", status=status, body={"status": "invalid event", "message": "no", "errors": []})
        kit.submit(*(alert(f"{status}-{n}") for n in range(8)))
        kit.pass_time(5)
        kit.sandbox.heal()

    assert kit.breakers.list() == []


def test_throttling_never_opens_a_breaker(kit: Outage) -> None:
    kit.start(kit.primary)
    kit.sandbox.fault(kind="throttle")
    kit.submit(*(alert(f"k{n}") for n in range(8)))

    kit.pass_time(400, 20)

    assert kit.breakers.list() == []
    assert states(kit) == {}


@pytest.mark.parametrize("arrives", [False, True], ids=["refused", "taken_although_it_says_503"])
def test_ten_minutes_of_5xx_while_500_alerts_come_and_200_resolve(kit: Outage, *, arrives: bool) -> None:
    keys = [f"k{n}" for n in range(500)]
    began = kit.clock.now()
    kit.sandbox.fault(**DOWN, ingest=arrives)
    accepted: list[str] = []
    for minute in range(10):
        for tenth in range(10):
            here = keys[50 * minute + 5 * tenth : 50 * minute + 5 * tenth + 5]
            over = here[:2] if minute else []
            accepted += [d.id for d in kit.submit(*(alert(key) for key in here))]
            kit.pass_time(5)
            accepted += [d.id for d in kit.submit(*(alert(key, "resolve") for key in over))]
            kit.pass_time(1)
    accepted += [d.id for d in kit.submit(*(alert(key, "resolve") for key in keys[:20]))]
    opened = min(change.at for change in kit.breakers.history(1000) if change.state == "open")

    kit.sandbox.heal()
    kit.pass_time(660, 5)

    assert opened - began < 30 * SECOND
    resolved = {key for n, key in enumerate(keys) if n < 20 or (n >= 50 and n % 5 < 2)}
    assert len(resolved) == 200
    check(kit, accepted, set(keys), resolved, opened, most_twice=10 if arrives else 0)
