"""Each class of records: what goes, what stays, and what can be made of its archive."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.logs.models import Scope
from tasks.utils.error_handler import PermanentError, TransientError
from tasks.utils.progress import Progress, shown
from tasks.utils.single_flight import BusyError
from tests.integration.logs.log_kit import DAY, SECRET_WORDS, LogKit
from tests.pipeline import alert

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.pipeline import Pipeline


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_logs_that_were_set_aside_go_and_those_that_are_written_to_stay(kit: LogKit) -> None:
    for name, age in (("beat.log", 20), ("beat.log.1", 20), ("gateway.log.1", 3)):
        kit.write(f"logs/{name}", SECRET_WORDS, days_old=age)
    kit.write("logs/notes.txt", "not ours", days_old=20)
    lock = kit.write("up.lock", "")

    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        told = kit.told("worker_logs")

    assert names(kit.state / "logs") == ["beat.log", "gateway.log.1", "notes.txt"]
    assert [(one.name, one.why) for one in told.kept] == [("beat.log", "a process of `tocsin up` writes to it")]
    assert SECRET_WORDS.encode() not in kit.everything_stored()
    assert kit.told("worker_logs").items == 1
    restored = kit.runtime.logs.restores.restore(kit.runtime.logs.archives.views()[0].id, "ada")
    assert restored.places == [str(kit.state / "restored" / "worker_logs" / "beat.log.1")]
    assert (kit.state / "restored" / "worker_logs" / "beat.log.1").read_text() == SECRET_WORDS


def test_a_log_taken_by_a_run_that_was_killed_is_taken_up_by_the_next_one(kit: LogKit) -> None:
    kit.write("logs/.clean-up/beat.log.1", "half a run", days_old=20)

    assert kit.told("worker_logs").items == 1
    assert names(kit.state / "logs" / ".clean-up") == []


def test_reports_damaged_lines_and_half_written_drafts_go_each_after_its_time(kit: LogKit) -> None:
    old = {"reports/health.html": 31, "spool/1.damaged": 31, "ledger/pending.new": 2, "x.tmp": 2}
    old |= {"security/.revocations.json.k3j1.tmp": 2, "exports/.acts.csv.part": 2}
    new = {"reports/today.html": 29, "spool/2.damaged": 29, "spool/3.jsonl": 99, "y.new": 0.5, "own-alerts.json": 99}
    for name, age in (old | new).items():
        kit.write(name, name, days_old=age)

    report = kit.clean("metrics", "spool", "temp")

    assert {one.kind: one.items for one in report.classes} == {"metrics": 1, "spool": 1, "temp": 4}
    assert [name for name in old if (kit.state / name).exists()] == []
    assert [name for name in new if not (kit.state / name).exists()] == []


def test_exports_go_after_a_month_and_what_was_brought_back_goes_again_without_a_second_archive(kit: LogKit) -> None:
    kit.write("logs/a.log.1", "some lines", days_old=20)
    kit.write("exports/acts.csv", "who did what", days_old=31)
    kit.write("exports/new.csv", "who did what", days_old=29)
    assert [one.items for one in kit.clean("worker_logs", "exports").classes] == [1, 1]
    log = next(one for one in kit.runtime.logs.archives.views() if one.kind == "worker_logs")
    place = kit.state / kit.runtime.logs.restores.restore(log.id, "ada").places[0]
    os.utime(place, (kit.clock.now().timestamp(),) * 2)

    kit.age(13)
    assert kit.told("worker_logs").items == 0
    kit.age(2)
    assert kit.told("worker_logs", dry_run=True).items == 1
    assert kit.told("worker_logs").items == 1

    assert not place.exists()
    assert names(kit.state / "exports") == ["new.csv"]
    assert len(kit.runtime.logs.archives.views()) == 2


def test_an_answer_that_was_brought_back_stays_for_its_week_and_goes_without_a_second_archive(kit: LogKit) -> None:
    kit.put_result("old", kit.clock.now() - 3 * DAY)
    kit.clean("results")
    [archive] = kit.runtime.logs.archives.views()
    place = kit.state / kit.runtime.logs.restores.restore(archive.id, "ada").places[0]
    os.utime(place, (kit.clock.now().timestamp(),) * 2)

    kit.age(6)
    assert kit.told("results").items == 0
    kit.age(2)
    assert kit.told("results").items == 1

    assert not place.exists()
    assert len(kit.runtime.logs.archives.views()) == 1


def test_of_a_machine_that_has_archived_nothing_for_long_redis_forgets_the_end_of_its_list(kit: LogKit) -> None:
    client, keys = kit.runtime.client, kit.runtime.keys
    client.hset(keys.log_archives, "of-an-older-version", "hash")
    kit.write("logs/a.log.1", "a", days_old=20)
    kit.clean("worker_logs")
    assert "of-an-older-version" in client.hgetall(keys.log_archives)

    kit.age(401)
    kit.write("logs/b.log.1", "b", days_old=20)
    kit.clean("worker_logs")

    assert (
        set(client.hgetall(keys.log_archives)) == set(client.zrange(keys.log_machines, 0, -1)) == {socket.gethostname()}
    )


def test_answers_that_redis_did_not_forget_go_and_newer_ones_stay(kit: LogKit) -> None:
    now = kit.clock.now()
    kit.put_result("old", now - 3 * DAY)
    kit.put_result("new", now - DAY)
    kit.runtime.client.set(kit.runtime.keys.result("pending"), json.dumps({"status": "PROGRESS", "result": None}))

    told = kit.told("results")

    assert told.items == 1
    left = [key.rpartition("-")[2] for key in kit.runtime.client.scan_iter(match="*celery-task-meta-*")]
    assert sorted(left) == ["new", "pending"]
    [archive] = kit.runtime.logs.archives.views()
    place = kit.runtime.logs.restores.restore(archive.id, "ada").places[0]
    assert SECRET_WORDS in (kit.state / place).read_text()


def test_dead_letters_go_only_if_asked_and_come_back_to_be_replayed(
    make_kit: Callable[..., LogKit], pipeline: Pipeline, sandbox: Any
) -> None:
    never, kit = make_kit(), make_kit(retention__dead_letters="30d")
    sandbox.fault(kind="reject", status=400, path="/v2/enqueue")
    pipeline.submit({**alert("disk"), "service": "solo"})
    for _ in range(4):
        pipeline.deliver()
        kit.clock.advance(timedelta(minutes=1))
    [letter] = never.runtime.dead_letters.list().dead_letters
    kit.age(31)
    assert never.told("dead_letters").items == 0

    assert kit.told("dead_letters").items == 1

    assert not kit.runtime.dead_letters.list().dead_letters
    last = kit.runtime.audit.story(letter.id)[-1]
    [archive] = kit.runtime.logs.archives.views()
    assert last.step == "suppressed"
    assert archive.id in last.text
    restored = kit.runtime.logs.restores.restore(archive.id, "ada")
    assert restored.places[0].startswith("1 dead letters")
    sandbox.heal()
    assert kit.runtime.letter_care.replay([letter.id]).replayed == [letter.id]


def test_a_hold_for_a_span_keeps_what_overlaps_it_also_where_the_service_is_not_known(kit: LogKit) -> None:
    kit.write("logs/a.log.1", "a", days_old=40)
    kit.write("logs/b.log.1", "b", days_old=20)
    now = kit.clock.now()
    kit.runtime.logs.holds.add("case", "ada", Scope(service="shop", since=now - 41 * DAY, until=now - 39 * DAY))

    kit.clean("worker_logs")

    assert names(kit.state / "logs") == ["a.log.1"]


def test_a_hold_made_while_a_run_is_at_it_holds_from_then_on(kit: LogKit) -> None:
    for name in "abc":
        kit.write(f"logs/{name}.log.1", name, days_old=40)

    def hold_at_the_second(progress: Progress) -> None:
        if progress.done == 2:
            kit.runtime.logs.holds.add("case", "ada", Scope(kind="worker_logs"))

    with shown(hold_at_the_second):
        told = kit.told("worker_logs")

    assert told.items == 1
    assert told.kept[0].why.endswith("by ada: case")
    assert len(list((kit.state / "logs").rglob("*.log.1"))) == 2


def test_one_cleans_up_at_a_time_and_an_unknown_class_is_named(kit: LogKit) -> None:
    with kit.runtime.flights.alone("the clean-up of logs"), pytest.raises(BusyError):
        kit.clean()
    with kit.runtime.logs.archives.alone(), pytest.raises(TransientError, match="another process of this machine"):
        kit.clean()
    with pytest.raises(PermanentError, match="there is no class nonsense; there are results, ledgers"):
        kit.clean("nonsense")
