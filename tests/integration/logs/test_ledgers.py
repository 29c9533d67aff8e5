"""Files of the ledger: archived once all they tell of has ended, missed by nobody who proves, and brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.audit.anchors import Anchors
from tasks.audit.archive import Archive
from tasks.audit.prove import Prover
from tasks.audit.records import Records
from tasks.audit.wiring import audit_rules
from tasks.logs.models import Scope
from tasks.utils.audit_logger import Act
from tests.integration.logs.log_kit import DAY, LogKit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_what_has_ended_is_archived_encrypted_and_deleted_and_the_proof_says_what_it_lacks(kit: LogKit) -> None:
    kit.days(5)
    before = kit.digests()
    kit.age(87.5)

    told = kit.told("ledgers")

    assert told.items == 3
    assert kit.ledger_files() == sorted(before)[3:]
    assert b"accepted" not in kit.everything_stored()
    proof = kit.runtime.audit.prove()
    assert proof.holds, proof.broken
    assert "entries 1 to 27, up to the end of" in proof.notes[0]
    assert "tocsin logs restore" in proof.notes[0]
    assert kit.runtime.audit.verify().holds
    assert kit.runtime.audit.prove(2 * DAY).notes == []
    assert kit.runtime.logs.archives.verify().holds


def test_what_was_archived_comes_back_as_it_was_with_all_that_follows_and_stays_for_a_week(kit: LogKit) -> None:
    kit.days(5)
    before = kit.digests()
    kit.age(87.5)
    kit.clean("ledgers")
    second = kit.runtime.logs.archives.views()[1]

    restored = kit.runtime.logs.restores.restore(second.id, "ada")

    assert len(restored.archives) == 2
    assert kit.digests() == {name: digest for name, digest in before.items() if name != min(before)}
    proof = kit.runtime.audit.prove()
    assert proof.holds, proof.broken
    assert "entries 1 to 9" in proof.notes[0]
    assert kit.told("ledgers").items == 0
    kit.runtime.logs.restores.restore(kit.runtime.logs.archives.views()[0].id, "ada")
    assert kit.digests() == before
    assert kit.runtime.audit.prove().notes == []
    kit.age(8)
    assert kit.told("ledgers").items == 4
    assert len(kit.runtime.logs.archives.views()) == 4  # what was archived before is not archived twice


def test_a_file_that_tells_of_something_open_stays_and_so_does_what_follows(kit: LogKit) -> None:
    kit.days(2)
    fields = {"e": "hangs", "s": "accepted", "r": "trigger", "d": "shop", "t": kit.ledger.now()}
    kit.runtime.client.xadd(kit.runtime.keys.ledger, fields)
    kit.runtime.client.zadd(kit.runtime.keys.queued, {"hangs": kit.ledger.now()})
    kit.days(3)
    kit.age(100)

    told = kit.told("ledgers")

    assert told.items == 2
    assert [one.why for one in told.kept] == [
        "event hangs is not at its end, or is a dead letter",
        "one before it stays, and the record must have no gap",
    ]
    kit.runtime.client.zrem(kit.runtime.keys.queued, "hangs")
    assert [one.why for one in kit.told("ledgers").kept][:1] == [
        "event hangs has no end in the ledger: see `tocsin prove`"
    ]


def test_an_event_that_ends_in_a_later_file_and_an_alert_that_is_open(kit: LogKit) -> None:
    kit.days(1)
    client, keys = kit.runtime.client, kit.runtime.keys
    accepted = {"e": "late", "s": "accepted", "r": "trigger", "d": "shop u1", "t": kit.ledger.now()}
    client.xadd(keys.ledger, accepted)
    kit.days(1)
    client.xadd(keys.ledger, {"e": "late", "s": "sent", "r": "p", "d": "1", "t": kit.ledger.now()})
    client.hset(keys.alert("u1"), "status", "open")
    client.zadd(keys.alerts, {"u1": kit.ledger.now()})
    kit.days(2)
    kit.age(100)

    told = kit.told("ledgers", dry_run=True)
    assert (told.items, told.kept[0].why) == (1, "the alert of event late is open")
    client.hset(keys.alert("u1"), "status", "resolved")
    assert kit.told("ledgers").items == 3


def test_a_dry_run_counts_and_changes_nothing(kit: LogKit) -> None:
    kit.days(4)
    before = kit.digests()
    kit.age(100)

    told = kit.told("ledgers", dry_run=True)

    assert told.items == 3
    assert told.bytes == sum((kit.state / "ledger" / name).stat().st_size for name in sorted(before)[:3])
    assert kit.digests() == before
    assert not (kit.state / "archives").exists()


def test_a_run_is_bounded_and_the_next_one_goes_on(make_kit: Callable[..., LogKit]) -> None:
    kit = make_kit(items_per_run="2")
    kit.days(6)
    kit.age(100)

    runs = [kit.told("ledgers") for _ in range(3)]

    assert [(run.items, run.left) for run in runs] == [(2, 3), (2, 1), (1, 0)]
    assert kit.runtime.audit.prove().holds


def test_a_hold_keeps_what_it_is_about_until_it_is_released(kit: LogKit) -> None:
    kit.days(4)
    kit.age(100)
    holds = kit.runtime.logs.holds
    other = holds.add("another case", "ada", Scope(service="billing"))
    hold = holds.add("case 4711", "ada", Scope(kind="ledgers", service="shop"))

    told = kit.told("ledgers")

    assert told.items == 0
    assert told.kept[0].why == f"legal hold {hold.id} by ada: case 4711"
    holds.release(hold.id, "bob")
    kit.runtime.client.flushdb()  # holds are on the disk, too
    kit.clock.advance(100 * DAY)
    kit.runtime.epochs.ask()
    assert [one.id for one in holds.in_force()] == [other.id]
    assert kit.told("ledgers").items == 3


def test_a_forged_note_hides_no_deleted_file(kit: LogKit) -> None:
    kit.days(4)
    kit.age(100)
    kit.clean("ledgers")
    note = kit.state / "ledger" / "moved.jsonl"
    note.write_text(note.read_text().replace('"archive": "3-', '"archive": "9-'))

    proof = kit.runtime.audit.prove()

    assert not proof.holds
    assert "has a signature that does not fit" in str(proof.broken)


def test_the_record_of_acts_goes_the_same_way_and_verifies_without_what_is_gone(kit: LogKit) -> None:
    for day in range(3):
        kit.runtime.acts.record(Act("backups.create", f"backup/{day}"))
        kit.runtime.act_archive.seal()
        kit.clock.advance(DAY)
    kit.age(400)

    told = kit.told("audit")

    assert told.items == 2
    acts = kit.runtime.act_archive.acts.verify()
    assert acts.holds, acts.broken
    assert "entries 1 to 2" in acts.notes[0]
    kit.runtime.logs.restores.restore(kit.runtime.logs.archives.views()[0].id, "ada")
    assert kit.runtime.act_archive.acts.verify().notes == []


class MovedUnderItsEyes(Archive):
    """Of which the oldest file is moved away right after somebody has asked for the first time which there are."""

    def __init__(self, kit: LogKit) -> None:
        super().__init__(kit.state / "ledger")
        self._kit = kit
        self._is_done = False

    def files(self) -> list[Path]:
        found = super().files()
        if not self._is_done:
            self._is_done = True
            assert self._kit.told("ledgers").items == 1
            self._kit.age(1)
        return found


def test_a_clean_up_during_a_check_a_proof_or_a_look_fails_none_of_them_and_what_went_is_named(kit: LogKit) -> None:
    kit.days(5)
    kit.age(85.5)
    runtime, rules = kit.runtime, audit_rules(kit.runtime.settings)
    anchors = Anchors(rules.folder, rules.signing_keys)
    days = kit.ledger_files()

    def prover() -> Prover:
        return Prover(runtime.client, runtime.keys, MovedUnderItsEyes(kit), anchors, runtime.clock, rules.grace)

    for report, gone in ((prover().verify(), days[0]), (prover().prove(None), days[1])):
        assert report.holds, report.broken
        assert report.notes[0].startswith(f"{gone} was moved away while this was read")
        assert f"up to the end of {gone}, were cleaned up" in report.notes[1]
    assert list(Records(runtime.client, runtime.keys, MovedUnderItsEyes(kit)).everything())
    assert kit.ledger_files() == days[3:]
