"""The spool with files that are not as it left them."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from tasks.utils.spool_file import SpoolFile, encode
from tests.unit.test_spool import drain, files, row, rows, spool, spool_in

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.spool import Spool

__all__ = ["spool"]


def test_a_row_half_written_when_the_machine_stopped_is_cut_off_and_the_next_one_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = spool_in(tmp_path)
    first.append([rows(range(2))])
    first.close()
    [path] = (tmp_path / "spool").iterdir()
    with path.open("ab") as file:
        file.write(encode(row(2))[:-9])

    second = spool_in(tmp_path)
    second.adopt()
    second.append([[row(3)]])

    assert [one.id for one in drain(second)] == ["00000000", "00000001", "00000003"]
    assert "half a row" in caplog.text
    assert second.damaged == 0


def damage(path: Path, line: int) -> None:
    lines = path.read_bytes().split(b"\n")
    lines[line] = lines[line].replace(b"events", b"evants")
    path.write_bytes(b"\n".join(lines))


def test_a_damaged_row_is_reported_and_set_aside_and_the_others_are_handed_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = spool_in(tmp_path)
    first.append([rows(range(4))])
    first.close()
    [path] = (tmp_path / "spool").iterdir()
    damage(path, line=2)

    second = spool_in(tmp_path)
    second.adopt()
    assert second.read() == second.read()

    assert [one.id for one in drain(second)] == ["00000000", "00000002", "00000003"]
    assert second.damaged == 1
    [aside] = (tmp_path / "spool").iterdir()
    assert "00000001" in aside.read_text()
    assert aside.stat().st_mode & 0o777 == 0o600
    assert str(aside) in caplog.text


def test_without_its_first_line_a_file_still_gives_every_row(tmp_path: Path) -> None:
    first = spool_in(tmp_path)
    first.append([rows(range(2))])
    first.close()
    [path] = (tmp_path / "spool").iterdir()
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([b"\0" * 40, *lines[1:]]))

    second = spool_in(tmp_path)
    second.adopt()

    assert drain(second) == rows(range(2))
    assert second.damaged == 1


def test_a_file_of_a_later_version_is_left_alone_and_said_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "00000001.jsonl").write_text('{"tocsin_spool":2,"drained_to":0}\n{"new":1}\n')
    spool = spool_in(tmp_path)

    assert spool.adopt() == spool.adopt() == 0
    assert caplog.text.count("start that one to drain it") == 1
    assert files(tmp_path) == ["00000001.jsonl"]


def test_a_file_that_somebody_cut_short_is_an_error_and_no_endless_loop(tmp_path: Path, spool: Spool) -> None:
    spool.append([rows(range(3))])
    os.truncate(tmp_path / "spool" / "00000001.jsonl", 0)

    with pytest.raises(OSError, match="shorter than it was"):
        spool.read()


def test_an_unreadable_file_is_reported_once_and_harms_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool" / "00000001.jsonl").mkdir(parents=True)
    first = spool_in(tmp_path)
    first.append([[row(1)]])
    first.close()
    caplog.set_level(logging.ERROR)

    second = spool_in(tmp_path)

    assert (second.adopt(), second.adopt()) == (1, 0)
    assert caplog.text.count("00000001.jsonl is left alone") == 1
    second.close()


def test_a_file_deleted_between_look_and_lock_is_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "00000001.jsonl"
    file = SpoolFile.create(path)
    assert file is not None
    assert SpoolFile.create(path) is None
    assert SpoolFile.open(path) is None
    file.remove()

    assert SpoolFile.open(path) is None
