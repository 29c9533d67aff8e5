"""A list of archives that is lost: no archive is overwritten, what is not listed is named, and the list can be made anew."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.logs.log_kit import LogKit

LIST = "chain.jsonl"


def archived(kit: LogKit, name: str, text: str) -> Path:
    """The archive of one worker log."""
    kit.write(f"logs/{name}", text, days_old=20)
    assert kit.told("worker_logs").items == 1
    return kit.state / "archives" / kit.runtime.logs.archives.views()[-1].file


def lose(kit: LogKit, *, redis: bool) -> None:
    """The list goes, and what Redis knows of its end."""
    (kit.state / "archives" / LIST).unlink()
    if redis:
        kit.runtime.client.delete(kit.runtime.keys.log_archives)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_archive_that_the_list_lost_is_never_overwritten_by_one_of_the_same_name(kit: LogKit) -> None:
    old = archived(kit, "p.log.1", "the evidence")
    before = digest(old)
    lose(kit, redis=True)

    new = archived(kit, "p.log.1", "something else")

    assert digest(old) == before
    assert new != old


def test_archives_that_are_not_on_the_list_are_named(kit: LogKit) -> None:
    old = archived(kit, "p.log.1", "the evidence")
    lose(kit, redis=True)

    report = kit.runtime.logs.archives.verify()

    name = old.relative_to(kit.state / "archives").as_posix()
    assert report.faults == [f"{name} is not on the list: see `tocsin logs relist`"]


def test_while_redis_knows_of_an_archive_that_the_list_lacks_nothing_is_deleted(kit: LogKit) -> None:
    archived(kit, "p.log.1", "the evidence")
    lose(kit, redis=False)
    waits = kit.write("logs/q.log.1", "what comes after", days_old=20)

    with pytest.raises(PermanentError, match="tocsin logs relist"):
        kit.clean("worker_logs")

    assert waits.exists()


def test_a_list_is_made_anew_from_the_archives_and_each_comes_back_by_the_name_it_had(kit: LogKit) -> None:
    archived(kit, "p.log.1", "first words")
    archived(kit, "q.log.1", "second words")
    ids = [one.id for one in kit.runtime.logs.archives.views()]
    lose(kit, redis=False)

    looked = kit.runtime.logs.relisting.run(dry_run=True)
    assert kit.runtime.logs.archives.views() == []
    done = kit.runtime.logs.relisting.run()

    assert looked == done
    assert [one.id for one in kit.runtime.logs.archives.views()] == ids == done.listed
    assert kit.runtime.logs.archives.verify().holds
    place = kit.runtime.logs.restores.restore(ids[0], "ada").places[0]
    assert (kit.state / place).read_text() == "first words"


def test_what_is_damaged_or_has_another_name_than_it_was_written_under_does_not_get_on_the_list(kit: LogKit) -> None:
    damaged = archived(kit, "p.log.1", "first words")
    renamed = archived(kit, "q.log.1", "second words")
    lose(kit, redis=False)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    renamed.rename(renamed.with_name("000003-q.log.1.zst.enc"))

    done = kit.runtime.logs.relisting.run()

    assert done.listed == []
    assert len(done.refused) == 2
    assert done.missing == [1, 2, 3]
    assert len(kit.runtime.logs.archives.verify().faults) == 2
    archived(kit, "r.log.1", "the next has a number of its own")


def test_an_end_that_is_gone_with_its_archive_is_said_and_can_be_accepted(kit: LogKit) -> None:
    archived(kit, "p.log.1", "first words")
    gone = archived(kit, "q.log.1", "second words")
    path = kit.state / "archives" / LIST
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    gone.unlink()

    done = kit.runtime.logs.relisting.run()

    assert (done.listed, done.lost_end) == ([], True)
    assert kit.runtime.logs.archives.verify().holds
    archived(kit, "r.log.1", "it goes on")


def test_an_archive_that_a_killed_run_had_not_listed_is_taken_up_and_not_written_twice(kit: LogKit) -> None:
    log = kit.write("logs/p.log.1", "the same words", days_old=20)
    kit.write("logs/.clean-up/kept", "", days_old=0)
    archived(kit, "p.log.1", "the same words")
    lose(kit, redis=True)  # as if it had been killed before it wrote the list
    kit.write(f"logs/{log.name}", "the same words", days_old=20)

    assert kit.told("worker_logs").items == 1

    assert [one.file for one in kit.runtime.logs.archives.views()] == ["worker_logs/000001-p.log.1.zst.enc"]
    assert kit.runtime.logs.archives.verify().holds
