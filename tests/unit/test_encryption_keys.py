"""Encryption keys of a process: all of them decrypt, and the newest that everybody knows encrypts."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError, Problem
from config.key_sources import KeySources
from config.keyring import Keyring, SealError
from config.sealing import key_id_of, seal, unseal
from tasks.utils.encryption_keys import EncryptionKeys

if TYPE_CHECKING:
    from pathlib import Path

A, B, C = (base64.urlsafe_b64encode(letter * 32).decode() for letter in (b"a", b"b", b"c"))
A_ID, B_ID, C_ID = (Keyring.of_texts([key]).ids[0] for key in (A, B, C))


def test_the_newest_key_that_every_process_knows_encrypts() -> None:
    keys = EncryptionKeys([C, B, A])

    assert keys.settle([(B_ID, A_ID), (C_ID, B_ID, A_ID)])

    assert key_id_of(seal(b"x", keys, "p")) == B_ID
    assert (keys.texts[0], keys.coming) == (B, (C_ID,))


@pytest.mark.parametrize(
    ("fleet", "used"),
    [
        ([], B_ID),
        ([()], B_ID),  # it has no keys, and reads nothing
        ([(C_ID,)], B_ID),  # nobody could read whatever is taken
        ([None], B_ID),
        ([None, (A_ID,)], B_ID),
        ([(A_ID,)], A_ID),
        ([(B_ID,), (A_ID, B_ID)], B_ID),
    ],
)
def test_what_others_know_decides(fleet: list[tuple[str, ...] | None], used: str) -> None:
    keys = EncryptionKeys([B, A])

    keys.settle(fleet)

    assert keys.newest().id == used


def test_a_key_that_is_in_force_stays_so_when_a_process_comes_that_does_not_know_it() -> None:
    keys = EncryptionKeys([B, A])
    keys.settle([(B_ID, A_ID)])

    assert not keys.settle([(A_ID,)])

    assert keys.newest().id == B_ID


def test_files_are_read_again_when_they_were_changed_and_only_then(tmp_path: Path) -> None:
    file, reads = tmp_path / "key", list[str]()
    file.write_text(A)

    def read() -> list[str]:
        reads.append(file.read_text())
        return reads[-1].split()

    keys = EncryptionKeys([A], KeySources(read, [file]))
    assert not keys.look()
    file.write_text(f"{B} {A}")
    sealed = seal(b"x", EncryptionKeys([B]), "p")

    assert unseal(sealed, keys, "p") == b"x"
    assert keys.newest().id == A_ID
    with pytest.raises(SealError, match="wrong key"):
        unseal(seal(b"x", EncryptionKeys([C]), "p"), keys, "p")
    assert len(reads) == 1


def test_what_one_has_read_anew_another_of_the_same_settings_reads_too(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(A)
    sources = KeySources(lambda: file.read_text().split(), [file])
    one, other = EncryptionKeys([A], sources), EncryptionKeys([A], sources)
    file.write_text(f"{B} {A}")

    assert (one.look(), other.look(), EncryptionKeys([A], sources).look()) == (True, True, True)


def test_a_child_that_is_forked_after_a_change_has_the_new_keys(tmp_path: Path) -> None:
    told, file = [A], tmp_path / "ids"
    sources = KeySources(lambda: list(told), [])  # as a command prints them
    told.insert(0, B)
    EncryptionKeys([A], sources).look(ask_anew=True)

    if (child := os.fork()) == 0:
        keys = EncryptionKeys([A], sources)
        keys.look()
        file.write_text(" ".join(keys.ids))
        os._exit(0)
    os.waitpid(child, 0)

    assert file.read_text() == f"{B_ID} {A_ID}"


def test_commands_are_asked_again_on_request_only() -> None:
    told = [A]
    keys = EncryptionKeys([A], KeySources(lambda: list(told), []))
    told.insert(0, B)

    assert (keys.look(), keys.look(ask_anew=True), keys.ids) == (False, True, (B_ID, A_ID))


def test_what_cannot_be_read_changes_nothing_and_is_told() -> None:
    def read() -> list[str]:
        raise ConfigError([Problem("secret file", "", "cannot be read", "make it readable")])

    keys = EncryptionKeys([A], KeySources(read, []))

    assert not keys.look(ask_anew=True)
    assert (keys.ids, keys.trouble) == ((A_ID,), "secret file: cannot be read")


def test_a_key_in_force_that_is_configured_no_more_stays_until_it_is_and_is_let_go_afterwards(tmp_path: Path) -> None:
    """Else whatever it has encrypted could not be read from the moment of the switch on."""
    file = tmp_path / "key"
    keys = EncryptionKeys([A], KeySources(lambda: file.read_text().split(), [file]))
    sealed = seal(b"x", keys, "p")

    def write(*texts: str) -> None:
        (tmp_path / "new").write_text(" ".join(texts))
        (tmp_path / "new").replace(file)  # another file, whatever the clock of the disk says
        keys.look()
        keys.settle([(B_ID, A_ID)])

    write(B)
    assert (keys.is_forsaken, keys.in_force, unseal(sealed, keys, "p")) == (True, A_ID, b"x")

    write(B, A)
    assert (keys.is_forsaken, keys.in_force, unseal(sealed, keys, "p")) == (False, B_ID, b"x")

    write(B)
    assert (keys.is_forsaken, keys.ids) == (False, (B_ID,))


def test_a_process_that_slept_while_the_fleet_went_on_goes_on_too() -> None:
    texts = [A]
    keys = EncryptionKeys(texts, KeySources(lambda: texts, []))
    texts[:] = [B]
    keys.look(ask_anew=True)

    assert not keys.settle([(B_ID, A_ID)])
    assert keys.settle([(B_ID,), (B_ID, A_ID)])

    assert keys.ids == (B_ID,)
