"""Each transition of an escalation takes effect once, whoever comes at the same time, dies, or comes late."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.escalations.messages import Ways
from tasks.escalations.rows import Claimed, Turn
from tasks.escalations.service import EscalationService
from tasks.utils.connect import connect
from tasks.utils.scripts import assembled
from tests.acceptance.escalation_world import MINUTE, UID, Tower, policy
from tests.pipeline import alert

if TYPE_CHECKING:
    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

LEASE = timedelta(seconds=30)
HOUR = timedelta(hours=1)


def plans(tower: Tower) -> list[Any]:
    """What this claimant would do with what is due, planned and not done yet."""
    claimed = tower.rows.claim(50, LEASE, Turn("somebody", begins=True))
    known = tower.rows.policies(one.policy for one in claimed.due)
    return [tower.escalations.plan(one, known[one.policy], claimed.at) for one in claimed.due]


def test_a_dead_claimants_timer_falls_due_again_and_its_step_is_taken_once(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    clock.advance(5 * MINUTE)
    late = plans(tower)
    assert tower.advance() == 0

    clock.advance(LEASE)
    assert tower.advance() == 1

    assert tower.rows.commit(late) == ["overtaken"]
    assert tower.story() == ["started", "escalated backup"]
    assert tower.lateness[0] >= 30


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_an_answer_that_comes_between_claim_and_step_wins(tower: Tower, clock: MovableClock, action: str) -> None:
    tower.submit(alert())
    clock.advance(5 * MINUTE)
    planned = plans(tower)

    tower.submit(alert(action=action))

    assert tower.rows.commit(planned) == ["overtaken"]
    assert "escalated backup" not in tower.story()


def test_a_step_taken_before_the_answer_stands_and_nothing_follows(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    clock.advance(5 * MINUTE)
    tower.advance()
    tower.submit(alert(action="acknowledge"))
    clock.advance(60 * MINUTE)

    assert tower.advance() == 0
    assert tower.story() == ["started", "escalated backup", "stopped acknowledged"]


def test_many_claimants_at_once_take_each_step_once(
    tower: Tower, clock: MovableClock, server: Server, sandbox: Sandbox
) -> None:
    keys = [f"disk{number}" for number in range(60)]
    tower.submit(*(alert(key) for key in keys))
    clock.advance(5 * MINUTE)
    towers = [Tower(connect(server.url), tower.keys, sandbox.url) for _ in range(4)]
    taken = Counter[int]()

    def work(number: int) -> None:
        taken[number] = towers[number].advance()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in towers:
        other.delivery.close()
        other.client.close()

    entries = [e for _, e in tower.client.xrange(tower.keys.ledger) if e["s"] == "escalated"]
    assert sum(taken.values()) == len(entries) == len({e["e"] for e in entries}) == 60


def test_a_pause_that_comes_between_claim_and_step_keeps_the_time_that_was_left(
    tower: Tower, clock: MovableClock
) -> None:
    tower.submit(alert())
    clock.advance(5 * MINUTE)
    planned = plans(tower)
    tower.desk.pause(["disk"])

    assert tower.rows.commit(planned) == ["overtaken"]
    assert tower.view().left_seconds == 0


def test_an_open_alert_without_a_timer_gets_one(tower: Tower) -> None:
    tower.ruled_by()
    tower.submit(alert())
    tower.under(policy())

    report = tower.audit()

    assert (report.started, report.repaired) == (1, 1)
    assert tower.due_in() == 300
    assert tower.audit().repaired == 0


def test_a_timer_whose_alert_is_gone_is_cancelled(tower: Tower) -> None:
    tower.submit(alert())
    tower.client.delete(tower.keys.alert(UID))

    assert tower.audit().cancelled == 1
    assert tower.state() == "cancelled alert_forgotten"


def test_an_escalation_that_lost_its_due_time_goes_on(tower: Tower) -> None:
    tower.submit(alert())
    tower.client.zrem(tower.keys.escalations_due, UID)

    assert tower.audit().revived == 1
    assert tower.advance() == 1


def test_what_runs_late_is_reported(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    clock.advance(8 * MINUTE)

    report = tower.audit()

    assert (report.late, report.late_ms // 1000) == (1, 180)


def test_every_kind_of_mending_leaves_alone_what_is_well(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert(), alert("mail"), alert("web"))
    tower.submit(alert("mail", action="acknowledge"), alert("web", action="resolve"))
    tower.desk.pause(["disk"])

    assert tower.audit().repaired == 0
    clock.advance(60 * MINUTE)
    assert tower.audit().repaired == 0


def test_an_unseen_alert_makes_the_next_step_due_at_once_where_its_policy_says_so(tower: Tower) -> None:
    tower.under(policy(escalates_unseen=True))
    tower.submit(alert())
    script = tower.client.register_script(unseen(tower))

    assert script(args=[UID]) == 1
    assert tower.advance() == 1


def unseen(tower: Tower) -> str:
    """A script that tells of an alert PagerDuty took and never showed."""
    parts = "-- include: clock\n-- include: escalation\n"
    return assembled(parts + "return unseen_escalation(ARGV[1], now()) and 1 or 0", tower.keys.prefix)


def test_one_worker_stays_for_what_is_due_next_and_whoever_is_relieved_calls_nobody(tower: Tower) -> None:
    tower.submit(alert())
    first, second = Turn("first", begins=True), Turn("second", begins=True)
    assert tower.rows.claim(50, LEASE, first, HOUR).wait > 0
    assert tower.rows.claim(50, LEASE, second, HOUR).wait > 0
    tower.client.delete(tower.keys.wake)

    for _ in range(3):
        assert tower.rows.claim(50, LEASE, Turn("first"), HOUR).wait == -1
        assert tower.rows.claim(50, LEASE, Turn("second"), HOUR).wait > 0
    tower.rows.claim(0, LEASE, Turn("first"))

    assert tower.client.llen(tower.keys.queue("escalation")) == 0
    assert tower.client.llen(tower.keys.wake) == 0


def test_whoever_is_relieved_helps_while_more_is_due_than_one_takes(tower: Tower, clock: MovableClock) -> None:
    tower.submit(*(alert(f"disk{number}") for number in range(6)))
    clock.advance(5 * MINUTE)
    tower.rows.claim(1, LEASE, Turn("first", begins=True), HOUR)
    tower.rows.claim(1, LEASE, Turn("second", begins=True), HOUR)

    helps = [len(tower.rows.claim(1, LEASE, Turn("first"), HOUR).due) for _ in range(2)]

    assert helps == [1, 1]
    assert tower.client.llen(tower.keys.queue("escalation")) == 1, "a third is called, and called once"


def test_a_worker_that_stayed_and_died_is_followed_by_whoever_asks_next(tower: Tower, clock: MovableClock) -> None:
    tower.submit(alert())
    tower.rows.claim(50, LEASE, Turn("lost", begins=True), HOUR)
    clock.advance(timedelta(seconds=2))

    assert tower.rows.claim(50, LEASE, Turn("other"), HOUR).wait > 0
    assert tower.rows.claim(50, LEASE, Turn("lost"), HOUR).wait == -1


def test_the_last_one_that_leaves_has_the_pumps_look(tower: Tower) -> None:
    tower.submit(alert())
    tower.rows.claim(50, LEASE, Turn("only", begins=True), HOUR)
    tower.client.delete(tower.keys.wake)

    tower.rows.claim(0, LEASE, Turn("only"))

    assert tower.client.llen(tower.keys.wake) == 1
    assert not tower.client.hexists(tower.keys.hints, "escalation")


class Waiting:
    """Rows whose claims wait until they may go on; then nothing is due."""

    def __init__(self) -> None:
        self.claims = threading.Semaphore(0)
        self.may_go_on = threading.Event()

    def claim(self, *_: Any) -> Claimed:
        self.claims.release()
        self.may_go_on.wait(10)
        return Claimed(0, -1, [])


def test_overdue_timers_leave_threads_for_what_they_send(tower: Tower) -> None:
    rows = Waiting()
    service = EscalationService(rows, Ways({}), tower.pause)
    busy = [threading.Thread(target=service.advance) for _ in range(2)]
    for one in busy:
        one.start()
        assert rows.claims.acquire(timeout=10)

    assert service.advance().taken == 0
    assert not rows.claims.acquire(blocking=False), "a third one does not even ask"

    rows.may_go_on.set()
    for one in busy:
        one.join()
    service.advance()
    assert rows.claims.acquire(blocking=False), "there is room again"
