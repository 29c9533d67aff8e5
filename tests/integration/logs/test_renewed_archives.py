"""Archives that were encrypted anew: the list tells of both files, and whoever tampers with either is found."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tasks.utils.progress import shown
from tests.unit.config_kit import ENCRYPTION_KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tasks.logs.archives import Archives
    from tasks.utils.progress import Progress
    from tests.integration.logs.log_kit import LogKit

NEW = base64.urlsafe_b64encode(b"n" * 32).decode()


def archives_of(kit: LogKit, *keys: str) -> Archives:
    """The archives as a process with these keys sees them, the newest first."""
    newest, *former = keys
    more = {"TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS": " ".join(former)}
    return kit.process(ENCRYPTION_KEY=newest, **more).logs.archives


def chain_of(kit: LogKit) -> Path:
    return kit.state / "archives" / "chain.jsonl"


@pytest.fixture
def renewed(kit: LogKit) -> LogKit:
    """Two archives, encrypted anew."""
    for number in range(2):
        kit.write(f"logs/p{number}.log.1", f"line of {number}\n" * 100, days_old=20 + number)
    kit.clean("worker_logs")
    archives = archives_of(kit, NEW, ENCRYPTION_KEY)
    with archives.alone():
        assert archives.renew(lambda _: "") == {}
    return kit


def test_they_are_read_and_brought_back_with_the_new_key_alone_by_the_id_they_had(renewed: LogKit) -> None:
    only = renewed.process(ENCRYPTION_KEY=NEW)
    verified = only.logs.archives.verify()
    [first, _] = only.logs.archives.views()

    restored = only.logs.restores.restore(first.id, "ann")

    assert (verified.faults, verified.archives) == ([], 2)
    assert first.id.startswith("1-")
    assert restored.places[0].endswith("p1.log.1")
    assert len(list((renewed.state / "archives").rglob("*.enc"))) == 2


def test_archives_that_are_encrypted_anew_while_they_are_verified_have_no_fault(kit: LogKit) -> None:
    kit.write("logs/p.log.1", "a line\n" * 100, days_old=20)
    kit.clean("worker_logs")
    renewing = archives_of(kit, NEW, ENCRYPTION_KEY)

    def renew(_: Progress) -> None:
        with renewing.alone(), shown(lambda _: None):
            renewing.renew(lambda _: "")

    with shown(renew):
        verified = archives_of(kit, NEW, ENCRYPTION_KEY).verify()

    assert (verified.faults, verified.archives) == ([], 1)


def test_what_is_archived_later_follows_on_the_list(renewed: LogKit) -> None:
    renewed.write("logs/p9.log.1", "later\n", days_old=20)
    renewed.process(ENCRYPTION_KEY=NEW).logs.clean_up.run(["worker_logs"])

    assert archives_of(renewed, NEW).verify().faults == []
    assert [view.id.partition("-")[0] for view in archives_of(renewed, NEW).views()] == ["1", "2", "3"]


def test_after_a_second_new_key_neither_former_one_is_needed(renewed: LogKit) -> None:
    third = base64.urlsafe_b64encode(b"t" * 32).decode()
    archives = archives_of(renewed, third, NEW)
    assert set(archives.signers()) == {1}

    with archives.alone():
        archives.renew(lambda _: "")

    assert set(archives.signers()) == {0}
    assert archives_of(renewed, third).verify().faults == []


def test_a_key_that_comes_back_needs_the_one_between_no_longer(renewed: LogKit) -> None:
    back = archives_of(renewed, ENCRYPTION_KEY, NEW)
    with back.alone():
        assert back.renew(lambda _: "") == {}
        lines = chain_of(renewed).read_text()
        assert back.renew(lambda _: "") == {}

    assert set(back.signers()) == {0}
    assert chain_of(renewed).read_text() == lines  # there is nothing more to vouch for
    assert archives_of(renewed, ENCRYPTION_KEY).verify().faults == []


def test_a_list_that_was_lost_is_made_anew_with_the_ids_they_had(renewed: LogKit) -> None:
    ids = [view.id for view in archives_of(renewed, NEW).views()]
    chain_of(renewed).unlink()
    logs = renewed.process(ENCRYPTION_KEY=NEW).logs

    logs.relisting.run()

    assert [view.id for view in logs.archives.views()] == ids
    assert [view.name for view in logs.archives.views()] == ["p1.log.1", "p0.log.1"]
    assert logs.archives.verify().faults == []


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (lambda lines: [lines[0].replace("p1.log", "p7.log"), *lines[1:]], "line 1 of chain.jsonl was changed"),
        (lambda lines: [lines[0], *lines[2:]], "does not follow the line before it"),
        (lambda lines: lines[:-1], "the end of chain.jsonl is missing"),
        (lambda lines: [*lines[:4], lines[4].replace("vouched", "vouches")], "line 5 of chain.jsonl is not readable"),
        (lambda lines: [*lines[:2], lines[3], lines[2], lines[4]], "line 3 of chain.jsonl does not follow"),
    ],
)
@pytest.mark.parametrize("known", [(NEW,), (NEW, ENCRYPTION_KEY)])
def test_whoever_tampers_with_the_list_is_found(
    renewed: LogKit, tamper: Callable[[list[str]], list[str]], fault: str, known: tuple[str, ...]
) -> None:
    lines = chain_of(renewed).read_text().splitlines(keepends=True)
    chain_of(renewed).write_text("".join(tamper(lines)))

    assert any(fault in found for found in archives_of(renewed, *known).verify().faults)


def test_a_line_that_the_former_key_signs_afterwards_is_refused(renewed: LogKit) -> None:
    renewed.write("logs/p9.log.1", "forged\n", days_old=20)
    renewed.clean("worker_logs")

    faults = archives_of(renewed, NEW).verify().faults

    assert any("line 6 of chain.jsonl is signed with a key that is not known here" in fault for fault in faults)


def test_a_former_key_cannot_vouch_for_anything(renewed: LogKit) -> None:
    lines = [json.loads(line) for line in chain_of(renewed).read_text().splitlines()]

    assert [sorted({"of", "vouched"} & line.keys()) for line in lines] == [[], [], ["of"], ["of"], ["vouched"]]
    assert any("signed with a key" in fault for fault in archives_of(renewed, ENCRYPTION_KEY).verify().faults)


def test_an_archive_that_was_changed_is_not_encrypted_anew_and_keeps_its_fault(kit: LogKit) -> None:
    kit.write("logs/p.log.1", "a line\n" * 100, days_old=20)
    kit.clean("worker_logs")
    [path] = (kit.state / "archives").rglob("*.enc")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    archives = archives_of(kit, NEW, ENCRYPTION_KEY)

    with archives.alone():
        [why] = archives.renew(lambda _: "").values()

    assert "altered" in why
    assert path.exists()
    assert any("altered" in fault for fault in archives.verify().faults)


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_former_file_that_lies_there_again_goes_only_if_the_one_in_its_place_is_whole(
    kit: LogKit, *, is_whole: bool
) -> None:
    kit.write("logs/p.log.1", "a line\n" * 100, days_old=20)
    kit.clean("worker_logs")
    [former] = (kit.state / "archives").rglob("*.enc")
    content = former.read_bytes()
    archives = archives_of(kit, NEW, ENCRYPTION_KEY)
    with archives.alone():
        archives.renew(lambda _: "")
    [current] = (kit.state / "archives").rglob("*.enc")
    former.write_bytes(content)  # from a backup, because something is wrong with the other
    if not is_whole:
        current.unlink()

    with archives.alone():
        archives.renew(lambda _: "")

    assert former.exists() is not is_whole


def test_a_list_that_was_changed_before_is_not_vouched_for(kit: LogKit) -> None:
    kit.write("logs/p.log.1", "a line\n" * 100, days_old=20)
    kit.clean("worker_logs")
    chain_of(kit).write_text(chain_of(kit).read_text().replace("p.log", "q.log"))
    archives = archives_of(kit, NEW, ENCRYPTION_KEY)

    with archives.alone():
        why = archives.renew(lambda _: "")

    assert "line 1 of chain.jsonl was changed" in why["the list"]
    assert "vouched" not in chain_of(kit).read_text()
