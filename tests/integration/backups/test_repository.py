"""Snapshots share what they have in common, betray nothing, and can be had by short names."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from tasks.backups.header import NoKeyError
from tasks.backups.items import canonical
from tasks.backups.storage import HeldError, Hold
from tasks.utils.error_handler import PermanentError, TransientError, UnknownError
from tests.integration.backups.repository_kit import CANARY, KEY, OTHER_KEY, Kit, Shelf, many

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_put_in_comes_out(kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "day.jsonl").write_bytes(b"line\n" * 200_000)
    shelf = Shelf(
        documents={("users", "P1"): {"name": "Zoë", "age": 1.5}}, files={"ledger/day.jsonl": tmp_path / "day.jsonl"}
    )

    made = kit.create(shelf)

    objects = kit.repository.objects()
    found = {one.name: one for one in kit.repository.named(kit.repository.manifest(made), objects)}
    assert json.loads(objects.read(found["account/users/P1"].object)) == {"name": "Zoë", "age": 1.5}
    chunks = json.loads(objects.read(found["account/files/ledger/day.jsonl"].object))["chunks"]
    assert b"".join(map(objects.read, chunks)) == b"line\n" * 200_000


def test_a_second_snapshot_of_the_same_stores_no_object(kit: Kit) -> None:
    first = kit.create(many(500))
    before = kit.size()

    second = kit.create(many(500))

    assert second.added == 0
    assert kit.size() - before < 0.02 * first.added


def test_a_second_snapshot_stores_what_changed_and_little_else(kit: Kit) -> None:
    first = kit.create(many(2000))

    second = kit.create(many(2000, changed=frozenset({3, 1999})))

    assert 0 < second.added < 0.02 * first.added
    assert kit.holds(first)["account/services/P00003"] != kit.holds(second)["account/services/P00003"]


def test_a_file_that_grew_shares_its_beginning(kit: Kit, tmp_path: Path) -> None:
    ledger = tmp_path / "day.jsonl"
    ledger.write_bytes(random.Random(1).randbytes(2 << 20))
    first = kit.create(Shelf(files={"day.jsonl": ledger}))
    ledger.write_bytes(ledger.read_bytes() + b"more")

    second = kit.create(Shelf(files={"day.jsonl": ledger}))

    assert second.added < 0.5 * first.added


def test_a_thousand_objects_are_few_files(kit: Kit) -> None:
    kit.create(many(1000))

    assert len(kit.files("packs")) == 1


def test_nothing_of_the_content_nor_its_hash_is_to_be_seen(kit: Kit) -> None:
    shelf = many(50)
    kit.create(shelf)
    stored = b"".join(path.read_bytes() + path.name.encode() for path in kit.files())

    assert CANARY.encode() not in stored
    assert all(plain_hash(document) not in stored for document in shelf.documents.values())


def plain_hash(document: dict[str, object]) -> bytes:
    import hashlib

    return hashlib.sha256(canonical(document)).hexdigest().encode()


def test_two_repositories_have_different_names_for_the_same_content(tmp_path: Path) -> None:
    shelves = [Kit(tmp_path / name, KEY) for name in ("one", "two")]
    for kit in shelves:
        kit.create(many(20))

    one, two = (set(kit.repository.objects().places) for kit in shelves)

    assert not one & two


def test_what_a_snapshot_says_of_itself_needs_no_key(kit: Kit, plain_kit: Kit) -> None:
    kit.create(many(3), note="before the move")

    [told] = plain_kit.repository.snapshots()

    assert (told.note, told.items, told.is_encrypted) == ("before the move", 3, True)
    assert told.key_id


def test_without_the_key_nothing_else_can_be_read(kit: Kit, plain_kit: Kit, tmp_path: Path) -> None:
    made = kit.create(many(3))

    with pytest.raises(NoKeyError, match="set ENCRYPTION_KEY to the key"):
        plain_kit.repository.manifest(made)
    with pytest.raises(NoKeyError, match="wrong key"):
        Kit(tmp_path / "backups", OTHER_KEY).repository.manifest(made)


def test_a_new_encryption_key_takes_over_and_the_former_is_needed_no_longer(kit: Kit, tmp_path: Path) -> None:
    old = kit.create(many(10))

    new = Kit(tmp_path / "backups", OTHER_KEY, KEY).create(many(10))

    after = Kit(tmp_path / "backups", OTHER_KEY)
    assert new.added == 0
    assert after.holds(old) == after.holds(new)
    assert after.verify().holds


def test_a_repository_is_encrypted_from_the_day_there_is_a_key(plain_kit: Kit, kit: Kit) -> None:
    plain = plain_kit.create(many(10))

    sealed = kit.create(many(10))

    assert (plain.is_encrypted, sealed.is_encrypted) == (False, True)
    assert sealed.added > 0
    assert kit.holds(plain) == kit.holds(sealed)
    assert kit.verify().holds


def test_an_encrypted_repository_takes_nothing_that_is_not(kit: Kit) -> None:
    kit.create(many(3))

    with pytest.raises(PermanentError, match="is encrypted and stays so"):
        kit.create(many(3), encrypt=False)


def test_encryption_that_is_asked_for_needs_a_key(plain_kit: Kit) -> None:
    with pytest.raises(PermanentError, match="set ENCRYPTION_KEY"):
        plain_kit.create(many(3), encrypt=True)


def test_snapshots_are_found_by_the_beginning_of_their_ids_and_as_the_latest(kit: Kit) -> None:
    first, second = kit.create(many(3)), kit.create(many(4))

    assert kit.repository.find(first.id[:6]).id == first.id
    assert kit.repository.find("latest").id == second.id
    for wrong in ("zzzz", "abc", "0" * 64):
        with pytest.raises(UnknownError, match="there is no backup"):
            kit.repository.find(wrong)


def test_one_who_writes_keeps_others_from_writing_and_says_who_he_is(kit: Kit) -> None:
    storage = kit.repository.storage

    with storage.hold(Hold.WRITE):
        with pytest.raises(HeldError, match="in use by process"), storage.hold(Hold.WRITE):
            pass
        with storage.hold(Hold.READ):
            pass


def test_nobody_deletes_while_somebody_reads(kit: Kit) -> None:
    storage = kit.repository.storage

    with storage.hold(Hold.READ), pytest.raises(TransientError, match="in use"), storage.hold(Hold.DELETE):
        pass


def test_everything_in_the_folder_is_its_owners_alone(kit: Kit) -> None:
    kit.create(many(3))

    assert {path.stat().st_mode & 0o077 for path in kit.files()} == {0}
    assert kit.folder.stat().st_mode & 0o077 == 0
