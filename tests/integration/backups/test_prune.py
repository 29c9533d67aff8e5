"""Pruning forgets by rules, frees what nobody needs, and never takes the last good backup."""

from __future__ import annotations

import pytest

from tasks.backups.completeness import ACCOUNT
from tasks.backups.retention import Keep
from tasks.utils.error_handler import PermanentError
from tests.integration.backups.repository_kit import Kit, Shelf, flip, many


def test_what_only_a_forgotten_backup_needed_is_freed(kit: Kit) -> None:
    kit.create(many(200))
    kept = kit.create(many(20))
    before = kit.size()

    report = kit.prune()

    assert [backup.id for backup in report.kept] == [kept.id]
    assert kit.size() < before / 3
    assert report.bytes_freed > 0
    assert len(kit.holds(kept)) == 20
    assert kit.verify().holds


def test_a_dry_run_says_the_same_and_changes_nothing(kit: Kit) -> None:
    for count in (50, 60, 70):
        kit.create(many(count))
    before = {path: path.read_bytes() for path in kit.files()}

    said = kit.prune(dry_run=True)

    assert {path: path.read_bytes() for path in kit.files()} == before
    assert [backup.id for backup in said.forgotten] == [backup.id for backup in kit.prune().forgotten]


def test_the_last_good_backup_stays_where_the_rules_keep_only_damaged_ones(kit: Kit) -> None:
    oldest, good = kit.create(many(10)), kit.create(many(30))
    newest = kit.create(many(60))
    flip(kit.folder / newest.packs[0], 300 * 8)

    report = kit.prune(Keep(last=1))

    assert {backup.id for backup in report.kept} == {good.id, newest.id}
    assert [backup.id for backup in report.forgotten] == [oldest.id]
    assert report.reasons[good.id] == ["last good one of account"]
    assert len(kit.holds(good)) == 30


def with_schedules(*hidden: str, schedules: int = 0) -> Shelf:
    """An account as a key sees it that these kinds are hidden from."""
    shelf = many(3)
    gaps = [{"kind": kind, "why": "403"} for kind in hidden]
    shelf.documents[ACCOUNT, ACCOUNT] = {"host": "acme", "not_backed_up": gaps}
    shelf.documents |= {("schedules", f"S{number}"): {"name": f"schedule {number}"} for number in range(schedules)}
    return shelf


def test_a_backup_whose_key_was_shown_less_does_not_displace_the_last_one_that_has_it(kit: Kit) -> None:
    oldest, whole = kit.create(with_schedules(schedules=2)), kit.create(with_schedules(schedules=3))
    partly = kit.create(with_schedules("schedules", "tags", schedules=1))
    newest = kit.create(with_schedules("schedules", "tags"))

    report = kit.prune()

    assert [backup.id for backup in report.forgotten] == [oldest.id, partly.id]
    assert report.reasons[whole.id] == ["last good one with schedules of the account"]
    assert "account/schedules/S2" in kit.holds(whole)
    assert report.reasons[newest.id] == ["last", "last good one of account"]


def test_a_damaged_backup_is_not_kept_for_what_a_good_one_has(kit: Kit) -> None:
    good, damaged = kit.create(with_schedules(schedules=2)), kit.create(with_schedules(schedules=60))
    kit.create(with_schedules("schedules"))
    flip(kit.folder / damaged.packs[0], 300 * 8)

    report = kit.prune()

    assert report.reasons[good.id] == ["last good one with schedules of the account"]
    assert damaged.id not in report.reasons


def test_once_all_is_shown_again_the_older_one_goes(kit: Kit) -> None:
    whole = kit.create(with_schedules(schedules=3))
    kit.create(with_schedules("schedules"))
    kit.prune()
    kit.create(with_schedules(schedules=3))

    assert whole.id in {backup.id for backup in kit.prune().forgotten}


def test_where_no_backup_is_good_none_is_forgotten(kit: Kit) -> None:
    first = kit.create(many(30))
    kit.create(many(30))
    flip(kit.folder / first.packs[0], 300 * 8)

    with pytest.raises(PermanentError, match="no backup of the part account is good"):
        kit.prune()

    assert len(kit.repository.snapshots()) == 2


@pytest.mark.parametrize("bit", [0, 1000], ids=["not to be read", "another one"])
def test_nothing_is_freed_while_a_manifest_does_not_say_what_it_needs(kit: Kit, bit: int) -> None:
    first, last = kit.create(many(30)), kit.create(many(3))
    manifest = kit.folder / "snapshots" / first.id
    flip(manifest, bit)

    report = kit.prune()

    assert "what it needs is not known" in report.notes[0]
    assert report.packs_deleted == 0
    flip(manifest, bit)  # a copy of it is put in its place
    assert len(kit.holds(first)) == 30
    assert len(kit.holds(last)) == 3


def test_rules_that_keep_nothing_are_refused(kit: Kit) -> None:
    kit.create(many(3))

    with pytest.raises(PermanentError, match="keep no backup at all"):
        kit.prune(Keep())


def test_small_packs_are_put_together_where_there_are_many(kit: Kit) -> None:
    for number in range(26):
        kit.create(many(26, changed=frozenset({number})))

    kit.prune(Keep(last=26))

    assert len(kit.files("packs")) < 10
    assert kit.verify().holds


def test_one_who_was_overtaken_deletes_nothing(kit: Kit) -> None:
    from tasks.backups.pruning import Pruner
    from tasks.utils.single_flight import OvertakenError
    from tests.integration.backups.repository_kit import untold

    kit.create(many(20))
    kit.create(many(3))

    def overtaken() -> None:
        raise OvertakenError("backups")

    with pytest.raises(OvertakenError):
        Pruner(kit.repository, Keep(last=1), untold, overtaken).prune(dry_run=False)
    assert len(kit.repository.snapshots()) == 2


def test_backups_of_one_part_do_not_displace_those_of_another(kit: Kit) -> None:
    whole = kit.create(many(20), Shelf("config"))
    for number in range(3):
        kit.create(Shelf("config", {("files", str(number)): {"content": number}}))

    report = kit.prune(Keep(last=1))

    assert whole.id in report.reasons
    assert len(report.forgotten) == 2
