"""What people read of alerts that are told together: the first word at once, the rest in bundles, each piece of news once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tasks.utils.rows import Outcome
from tests.acceptance.group_world import CLUSTERS, MOST, PEOPLE, WAIT, Grouped, GroupKit, proved, told, warning
from tests.pipeline import alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock

SECOND = timedelta(seconds=1)


def test_the_first_word_goes_at_once_and_the_rest_in_a_bundle_after_the_wait(
    desk: GroupKit, clock: MovableClock
) -> None:
    [first] = desk.submit(warning("disk"))
    assert desk.go() == ["trigger, 1 open: +disk"]

    desk.submit(warning("cpu"), warning("net"))
    clock.advance(WAIT - 10 * SECOND)
    assert desk.go() == []
    assert proved(desk, pending=2)

    clock.advance(10 * SECOND)
    assert desk.go() == ["trigger, 3 open: +cpu +net"]
    assert desk.steps(first.id) == ["accepted", "bundled", "sent"]
    assert proved(desk)


def test_an_urgent_alert_does_not_wait_and_takes_along_what_does(desk: GroupKit) -> None:
    desk.submit(warning("disk"))
    desk.go()

    desk.submit(warning("cpu"))
    desk.submit(alert("database", severity="critical"))

    assert desk.go() == ["trigger, 3 open: +cpu +database"]


def test_a_full_bundle_does_not_wait_and_what_is_over_waits_for_the_next(desk: GroupKit, clock: MovableClock) -> None:
    desk.submit(warning("disk"))
    desk.go()

    desk.submit(*(warning(f"n{number}") for number in range(MOST + 2)))
    assert desk.go() == ["trigger, 8 open: +n0 +n1 +n2 +n3 +n4"]
    clock.advance(WAIT)
    assert desk.go() == ["trigger, 8 open: +n5 +n6"]
    assert proved(desk)


def test_what_resolves_before_it_was_told_is_not_told_and_the_next_message_says_so(
    desk: GroupKit, clock: MovableClock
) -> None:
    desk.submit(warning("disk"))
    desk.go()

    [trigger] = desk.submit(warning("cpu"))
    [resolve] = desk.submit(warning("cpu", "resolve"))
    assert (resolve.state, resolve.reason) == ("suppressed", "nothing_was_sent")
    assert desk.state(trigger.id) == "suppressed resolved_before_send"

    desk.submit(warning("net"))
    clock.advance(WAIT)
    assert desk.go() == ["trigger, 2 open, 1 came and went: +net"]
    assert proved(desk)


def test_newer_news_of_what_was_not_told_takes_its_place(desk: GroupKit, clock: MovableClock) -> None:
    desk.submit(warning("disk"))
    desk.go()

    [older] = desk.submit(warning("cpu"))
    desk.submit(warning("cpu", summary="cpu is worse"))
    clock.advance(WAIT)

    assert desk.go() == ["trigger, 2 open: +cpu"]
    assert desk.desk.taken[-1].members[0].summary == "cpu is worse"
    assert desk.state(older.id) == "merged superseded"


def test_a_resolved_group_says_so_and_its_next_alert_is_a_first_word_again(desk: GroupKit, clock: MovableClock) -> None:
    desk.submit(warning("disk"), warning("cpu"))
    desk.go()

    desk.submit(warning("disk", "resolve"))
    clock.advance(WAIT)
    assert desk.go() == ["trigger, 1 open: -disk"]
    desk.submit(warning("cpu", "resolve"))
    clock.advance(WAIT)
    assert desk.go() == ["resolve, 0 open: -cpu"]

    desk.submit(warning("net"))
    assert desk.go() == ["trigger, 1 open: +net"]
    assert proved(desk)


def test_an_acknowledge_is_told_and_the_group_is_acknowledged_when_all_are(desk: GroupKit, clock: MovableClock) -> None:
    desk.submit(warning("disk"), warning("cpu"))
    desk.go()

    desk.submit(warning("disk", "acknowledge"))
    clock.advance(WAIT)
    assert desk.go() == ["trigger, 2 open: !disk"]
    desk.submit(warning("cpu", "acknowledge"))
    clock.advance(WAIT)
    assert desk.go() == ["acknowledge, 2 open: !cpu"]


def test_a_group_that_still_fires_is_told_again_after_its_repeat_interval(desk: GroupKit, clock: MovableClock) -> None:
    desk.ruled_by(router=Grouped(replace(PEOPLE, repeat_ms=3_600_000)))
    desk.submit(warning("disk"))
    desk.go()

    clock.advance(timedelta(minutes=59))
    assert desk.go() == []
    for _ in range(2):
        clock.advance(timedelta(minutes=60))
        assert desk.go() == ["trigger, 1 open: (reminder)"]
    desk.submit(warning("disk", "resolve"))
    clock.advance(WAIT)
    assert desk.go() == ["resolve, 0 open: -disk"]
    clock.advance(timedelta(hours=5))
    assert desk.go() == []
    assert proved(desk)


def test_alerts_with_other_labels_are_another_group(desk: GroupKit) -> None:
    desk.ruled_by(router=Grouped(CLUSTERS))

    desk.submit(*(warning(f"disk-{place}", custom_details={"cluster": place}) for place in ("north", "south")))

    assert sorted(desk.go()) == ["trigger, 1 open: +disk-north", "trigger, 1 open: +disk-south"]
    assert {bundle.group["cluster"] for bundle in desk.desk.taken} == {"north", "south"}


def test_every_try_sends_the_same_bundle_and_news_gathers_behind_it(desk: GroupKit, clock: MovableClock) -> None:
    desk.desk.answers = [Outcome("retry", "http:500"), Outcome("retry", "http:500")]
    desk.submit(warning("disk"), warning("cpu"))
    desk.go()
    desk.submit(warning("net"), warning("cpu", "resolve"), warning("tmp"), warning("tmp", "resolve"))

    for _ in range(3):
        clock.advance(WAIT)
        desk.go()

    assert desk.desk.tried[0] == desk.desk.tried[1] == desk.desk.tried[2]
    assert [told(bundle) for bundle in desk.desk.taken] == [
        "trigger, 2 open: +disk +cpu",
        "trigger, 2 open, 1 came and went: +net -cpu",
    ]
    assert proved(desk)


def test_members_of_a_refused_bundle_are_dead_letters_one_by_one(desk: GroupKit, clock: MovableClock) -> None:
    desk.desk.answers = [Outcome("refused", "http:400")]
    disk, cpu = desk.submit(warning("disk"), warning("cpu"))
    desk.go()

    assert desk.audit.prove().dead == {"http:400": 2}
    assert desk.delivery.replay([cpu.id]).replayed == [cpu.id]
    desk.alerts.drain_inbox()
    clock.advance(WAIT)
    assert desk.go() == ["trigger, 2 open: +cpu"]
    assert desk.state(disk.id) == "dead http:400"


def test_a_resolve_that_died_is_told_when_it_is_replayed(desk: GroupKit, clock: MovableClock) -> None:
    desk.submit(warning("disk"))
    desk.go()
    desk.desk.answers = [Outcome("refused", "http:400")]
    [resolve] = desk.submit(warning("disk", "resolve"))
    clock.advance(WAIT)
    desk.go()
    assert desk.state(resolve.id) == "dead http:400"

    desk.delivery.replay([resolve.id])

    assert desk.go() == ["resolve, 0 open: -disk"]
    assert proved(desk)


def test_what_an_alert_waits_for_stands_in_the_proof(desk: GroupKit, clock: MovableClock) -> None:
    desk.submit(warning("disk"))
    desk.go()
    [waits] = desk.submit(warning("cpu"))

    [verdict] = [v for v in desk.audit.verdicts() if v.event_id == waits.id]
    assert verdict.verdict == "pending"
    assert verdict.due is not None
    assert timedelta(0) <= verdict.due - clock.now() <= WAIT

    clock.advance(WAIT + timedelta(minutes=2))
    assert not desk.audit.prove().holds


def test_the_sweep_gives_a_due_time_to_a_group_that_lost_its_own(desk: GroupKit, clock: MovableClock) -> None:
    desk.submit(warning("disk"))
    desk.go()
    desk.submit(warning("cpu"))
    desk.client.delete(desk.keys.groups_due)
    clock.advance(timedelta(minutes=3))

    assert desk.delivery.sweep().mended == 1
    assert desk.go() == ["trigger, 2 open: +cpu"]


def test_a_resolve_of_what_nobody_was_told_is_not_told(desk: GroupKit) -> None:
    [decision] = desk.submit(warning("disk", "resolve"))

    assert (decision.state, decision.reason) == ("suppressed", "nothing_was_sent")
    assert desk.go() == []
    assert proved(desk)


def test_a_group_leaves_nothing_waiting_in_redis(desk: GroupKit, clock: MovableClock) -> None:
    desk.submit(*(warning(f"n{number}") for number in range(20)))
    desk.submit(*(warning(f"n{number}", "resolve") for number in range(20)))
    for _ in range(10):
        desk.go()
        clock.advance(WAIT)

    left = desk.client.keys("*")
    assert not [key for key in left if ":buffer:" in key or ":members:" in key or ":lane:" in key]
    assert not desk.client.zcard(desk.keys.groups_due)
    assert not [key for key in left if ":event:" in key and desk.client.hexists(key, "body")]
