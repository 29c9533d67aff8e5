"""The encryption key is replaced: everything under the former one is encrypted anew, which can then be taken out."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.keyring import Keyring
from tasks.logs.models import Scope
from tasks.utils.error_handler import TransientError
from tasks.utils.single_flight import BusyError
from tests.acceptance.rekey_world import NEW, OLD, SECRET, secretive
from tests.redis_dump import everything

if TYPE_CHECKING:
    from tasks.runtime import Runtime
    from tests.acceptance.rekey_world import RekeyWorld, Victim

OLD_ID, NEW_ID = (Keyring.of_texts([key]).ids[0] for key in (OLD, NEW))
PLACES = {
    "rotated keys",
    "second factors",
    "the backups' own key",
    "fields of alerts",
    "archives of records",
    "signatures of records",
}


def needing(runtime: Runtime, key: str) -> set[str]:
    """The places where something needs a key."""
    return {one.place for one in runtime.tokens.rotate("encryption", dry_run=True).at_rest if one.key == key}


def test_everything_is_encrypted_anew_and_nothing_needs_the_former_key(rekeying: RekeyWorld) -> None:
    rekeying.fill()
    assert needing(rekeying.here, OLD_ID) == PLACES
    ids = [view.id for view in rekeying.here.logs.archives.views()]

    rekeying.configure(NEW, OLD)
    rekeying.here.tokens.rotate("encryption")

    assert (needing(rekeying.here, OLD_ID), needing(rekeying.here, NEW_ID)) == (set(), PLACES)
    rekeying.configure(NEW)
    alone = rekeying.process()
    assert rekeying.faults(alone) == []
    assert [view.id for view in alone.logs.archives.views()] == ids
    assert SECRET not in everything(alone.client)


@pytest.mark.parametrize("kills", [2, pytest.param(300, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_is_called_again_and_nothing_is_lost(
    rekeying: RekeyWorld, victim: Victim, kills: int
) -> None:
    chance = random.Random(int(os.environ.get("SEED", "1")))
    rekeying.fill()
    rekeying.configure(NEW, OLD)
    rekeying.here.renew_at_once()  # as every process does within a second
    keys, calls, died = [(NEW, OLD), (OLD, NEW)], 0, 0
    while died < kills:
        told = victim.rotate(chance.randint(1, calls or 4000))
        assert told != "failed"
        rekeying.pass_by()  # the lease of the one that died has ended
        if told == "killed":
            died += 1
            assert rekeying.faults(rekeying.here) == []
        else:
            calls = int(told)
            keys.reverse()
            rekeying.configure(*keys[0])
            rekeying.here.renew_at_once()

    assert victim.rotate().isdigit()
    assert len({one.key for one in rekeying.here.tokens.rotate("encryption").at_rest}) == 1
    rekeying.configure(keys[0][0])
    assert rekeying.faults(rekeying.process()) == []


def test_of_two_who_start_at_once_one_waits(rekeying: RekeyWorld) -> None:
    rekeying.fill()
    rekeying.configure(NEW, OLD)

    with rekeying.process().flights.alone("tokens.rotate"), pytest.raises(BusyError, match="being done already"):
        rekeying.here.tokens.rotate("encryption")

    assert needing(rekeying.here, OLD_ID) == PLACES


def test_a_new_key_is_read_with_at_once_and_encrypts_once_every_process_knows_it(rekeying: RekeyWorld) -> None:
    here = rekeying.here
    rekeying.show(OLD_ID)
    rekeying.configure(NEW, OLD)

    here.renew_at_once()

    assert here.encryption is not None
    assert here.encryption.ids == (NEW_ID, OLD_ID)
    assert here.security is not None
    assert here.security.key_id == OLD_ID
    assert [(one.id, one.state) for one in here.tokens.known() if one.kind == "encryption"] == [
        (OLD_ID, "current"),
        (NEW_ID, "coming"),
    ]
    rekeying.show(NEW_ID, OLD_ID)
    here.renew_at_once()
    assert here.security.key_id == NEW_ID


def test_it_is_refused_while_a_process_does_not_know_the_new_key_and_says_which(rekeying: RekeyWorld) -> None:
    rekeying.fill()
    rekeying.configure(NEW, OLD)
    rekeying.here.tokens._pause = lambda _: None
    rekeying.show(OLD_ID)

    with pytest.raises(TransientError, match=f"{NEW_ID} is not known to worker-alert@elsewhere"):
        rekeying.here.tokens.rotate("encryption")

    lines = {line.name: line for line in rekeying.here.tokens.lines()}
    assert lines["tokens.encryption"].state == "warn"
    assert "worker-alert@elsewhere" in lines["tokens.encryption"].value
    assert needing(rekeying.here, OLD_ID) == PLACES


def test_a_process_that_has_not_looked_reads_what_the_new_key_encrypted(rekeying: RekeyWorld) -> None:
    late = rekeying.process()
    rekeying.configure(NEW, OLD)
    rekeying.here.renew_at_once()
    sealed = rekeying.here.sealed_fields.seal(secretive("disk"))

    assert late.sealed_fields.open(sealed)["payload"]["custom_details"]["password"] == SECRET


def test_a_key_that_is_none_changes_nothing_and_is_said(rekeying: RekeyWorld) -> None:
    here = rekeying.here
    rekeying.configure("no key", OLD)

    here.renew_at_once()

    assert here.encryption is not None
    assert here.encryption.ids == (OLD_ID,)
    assert here.sealed_fields.seal(secretive("disk")) != secretive("disk")
    assert [line.state for line in here.tokens.lines() if line.name == "tokens.encryption"] == ["warn"]
    rekeying.configure(NEW, OLD)
    here.renew_at_once()
    assert (here.encryption.ids, here.encryption.trouble) == ((NEW_ID, OLD_ID), "")


def test_the_key_in_force_is_kept_where_it_was_taken_out_too_early(rekeying: RekeyWorld) -> None:
    here = rekeying.here
    rekeying.show(OLD_ID)
    rekeying.configure(NEW)

    here.renew_at_once()

    assert here.security is not None
    assert here.security.key_id == OLD_ID
    assert SECRET in str(here.sealed_fields.open(here.sealed_fields.seal(secretive("disk"))))


def test_an_archive_under_a_legal_hold_stays_as_it_is_until_that_is_released(rekeying: RekeyWorld) -> None:
    rekeying.fill()
    hold = rekeying.here.logs.holds.add("a case", "ann", Scope(kind="worker_logs"))
    before = [view.file for view in rekeying.here.logs.archives.views()]
    rekeying.configure(NEW, OLD)

    report = rekeying.here.tokens.rotate("encryption")

    [left] = [one for one in report.at_rest if one.needs_former]
    assert (left.place, left.count) == ("archives of records", 2)
    assert f"legal hold {hold.id} by ann" in left.mend
    assert [view.file for view in rekeying.here.logs.archives.views()] == before
    rekeying.here.logs.holds.release(hold.id, "ann")
    rekeying.here.tokens.rotate("encryption")
    assert needing(rekeying.here, OLD_ID) == set()


def test_settings_that_need_the_former_key_are_named_with_file_and_line(rekeying: RekeyWorld) -> None:
    from config.sealed import seal_setting

    path = rekeying.state.parent / "config" / "services" / "other.yaml"
    sealed = seal_setting("ingest00000000000000000000000009", Keyring.of_texts([OLD]))
    path.write_text(f"# a service\ningest_keys: ['{sealed}']\nchannels:\n  - {{name: a, routing_key: '{'k' * 32}'}}\n")
    rekeying.configure(NEW, OLD)

    [left] = [one for one in rekeying.here.tokens.rotate("encryption").at_rest if one.needs_former]

    assert (left.place, left.where) == ("settings files", ["services/other.yaml:2"])
    assert "`tocsin config encrypt`" in left.mend


def test_tampering_with_a_record_is_found_before_and_after_it_was_signed_anew(rekeying: RekeyWorld) -> None:
    rekeying.fill()
    anchors = rekeying.state / "ledger" / "anchors.jsonl"
    anchors.write_text(anchors.read_text().replace('"n":', '"n":1', 1))
    assert not rekeying.here.audit.verify().holds

    rekeying.configure(NEW, OLD)
    rekeying.here.tokens.rotate("encryption")

    assert not rekeying.here.audit.verify().holds
    assert needing(rekeying.here, OLD_ID) == {"signatures of records"}


def test_after_a_key_was_taken_up_the_former_secret_files_are_looked_at_no_more_than_once(rekeying: RekeyWorld) -> None:
    rekeying.configure(NEW, OLD)
    assert rekeying.here.renew_at_once()

    rekeying.clock.advance(timedelta(seconds=5))

    assert not rekeying.here.renew_at_once()
