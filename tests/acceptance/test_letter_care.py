"""What people do with dead letters: put them back, give up the old ones."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.audit.service import AuditRules, AuditService
from tasks.notifications.letter_filter import EVERY_LETTER, LetterFilter
from tasks.utils.error_handler import PermanentError
from tests.acceptance.letter_kit import HOUR, poisoned, refuse_all
from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.notifications.letter_care import LetterCare
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox


def test_a_dry_run_counts_and_changes_nothing(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, care: LetterCare, client: Any, keys: Keys
) -> None:
    refuse_all(pipeline, sandbox, clock, alert("disk"), alert("cpu"), alert("net"))
    pipeline.submit(alert("disk", "resolve"))
    before = client.xlen(keys.ledger)

    count = care.replay_all(EVERY_LETTER, dry_run=True)

    assert (count.matched, count.done, count.refused) == (3, 2, {"resolved": 1})
    assert client.zcard(keys.dead) == 3
    assert client.xlen(keys.ledger) == before


def test_a_replay_does_what_its_dry_run_has_told(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, care: LetterCare
) -> None:
    dead = refuse_all(pipeline, sandbox, clock, *(alert(f"k{number}") for number in range(120)))
    pipeline.submit(*(alert(f"k{number}", "resolve") for number in range(7)))
    told = care.replay_all(LetterFilter(service="shop"), dry_run=True)
    seen: list[int] = []

    count = care.replay_all(LetterFilter(service="shop"), progress=seen.append)
    while pipeline.alerts.drain_inbox().drained:
        pass
    while pipeline.deliver():
        pass

    assert (
        (count.matched, count.done, count.refused)
        == (told.matched, told.done, told.refused)
        == (120, 113, {"resolved": 7})
    )
    assert sum(seen) == 120
    assert {pipeline.state(one).split()[0] for one in dead[7:]} == {"sent"}
    assert len({incident["id"] for incident in sandbox.incidents()}) == 100  # as many as one page shows


def test_letters_are_put_back_oldest_first_so_that_a_resolve_follows_its_trigger(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, care: LetterCare
) -> None:
    poisoned(pipeline, alert("disk"), message="z")
    clock.advance(timedelta(seconds=1))
    poisoned(pipeline, alert("disk", "resolve"), message="a")

    care.replay_all(EVERY_LETTER)
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert (pipeline.state("z:0"), pipeline.state("a:0")) == (
        "suppressed resolved_before_send",
        "suppressed nothing_was_sent",
    )


def test_a_replay_in_parts_goes_on_where_it_ended_and_is_not_held_up_by_what_cannot_be_replayed(
    pipeline: Pipeline, care: LetterCare, client: Any, keys: Keys
) -> None:
    from tasks.utils.graves import Graves

    for number in range(60):
        Graves(client, keys).bury(f"rubbish {number}", "cannot be read", {})
    poisoned(pipeline, *(alert(f"k{number}") for number in range(110)))

    counts = [care.replay_all(EVERY_LETTER, most=50) for _ in range(3)]

    assert [count.more for count in counts] == [True, True, False]
    assert sum(count.done for count in counts) == 110
    assert client.zcard(keys.dead) == 60


def test_a_purge_gives_up_what_is_old_by_name_with_who_and_why(
    pipeline: Pipeline, clock: MovableClock, care: LetterCare, client: Any, keys: Keys, tmp_path: Path
) -> None:
    old = poisoned(pipeline, *(alert(f"k{number}") for number in range(60)), message="old")
    clock.advance(31 * 24 * HOUR)
    [new] = poisoned(pipeline, alert("new"), message="new")
    words = ("ann", "a month old")

    dry = care.purge(LetterFilter(), timedelta(days=30), words, dry_run=True)
    other = care.purge(LetterFilter(service="solo"), timedelta(days=30), words)
    count = care.purge(LetterFilter(), timedelta(days=30), words)
    report = AuditService(client, keys, AuditRules(tmp_path)).prove()

    assert (dry.matched, dry.done, other.matched, count.done, count.refused) == (60, 60, 0, 60, {})
    assert client.zrange(keys.dead, 0, -1) == [new]
    last = client.xrevrange(keys.ledger, count=1)[0][1]
    assert (last["s"], last["r"], last["d"]) == ("suppressed", "dropped", "by ann: a month old")
    assert report.holds
    assert (report.suppressed, report.dead) == ({"dropped": len(old)}, {"poison": 1})


def test_a_replay_as_a_task_asks_for_it_names_ids_or_a_filter(pipeline: Pipeline, care: LetterCare) -> None:
    poisoned(pipeline, alert("a"), alert("b"))

    counted = care.asked(None, {"reason": "poison"}, dry_run=True)
    named = care.asked(["bad:0", "bad:7"], None, dry_run=False)

    assert counted.model_dump()["done"] == 2
    assert named.model_dump() == {"replayed": ["bad:0"], "refused": {"bad:7": "is no dead letter"}}
    for ids_, where in ((None, None), (["bad:1"], {})):
        with pytest.raises(PermanentError, match="event_ids, or where"):
            care.asked(ids_, where, dry_run=False)
