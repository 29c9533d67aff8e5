"""A folder as a storage, where something is amiss with it."""

from __future__ import annotations

import os
import resource
import signal
from typing import TYPE_CHECKING

import pytest

from tasks.backups.local_folder import LocalFolder, blob_of
from tasks.utils.error_handler import TransientError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_goes_while_a_folder_is_listed_takes_no_others_out_of_the_list(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name)
    entries = list(os.scandir(tmp_path))
    (tmp_path / "b").unlink()

    found = [blob for entry in entries if (blob := blob_of("packs", entry))]

    assert sorted(blob.name for blob in found) == ["packs/a", "packs/c"]


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("no folder")

    with pytest.raises(TransientError, match=r"snapshots in .* cannot be read: Not a directory"):
        LocalFolder(tmp_path).list("snapshots")


def test_a_disk_that_is_full_keeps_no_draft(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    folder.put("packs/one", b"1")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))  # to a process the same as a disk without room

    try:
        with pytest.raises(TransientError, match="cannot be written to: File too large"):
            folder.put("packs/two", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["one"]


def test_what_cannot_be_deleted_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "packs" / "ab" / "cd").mkdir(parents=True)

    with pytest.raises(TransientError, match="cannot be written to: Is a directory"):
        LocalFolder(tmp_path).delete("packs/ab")
