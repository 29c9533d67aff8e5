"""The chain, the files and the anchors by themselves."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.audit.anchors import Anchors, anchor_key
from tasks.audit.archive import Archive
from tasks.audit.chain import GENESIS, START, Head, extend, take_apart
from tasks.utils.files import append, cut_half_line, lines_backwards
from tasks.utils.ledger import Entry, order
from tests.searching import searched

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = Entry("1-0", 1, "a", "sent", "primary", "1")


def test_the_chain_is_plain_sha256_that_anybody_can_check() -> None:
    body = b'{"n":1,"id":"1-0","t":1,"e":"a","s":"sent","r":"primary","d":"1"}'
    expected = hashlib.sha256(GENESIS.encode() + body).hexdigest()

    head, line = extend(START, ENTRY)

    assert head == Head(1, "1-0", expected)
    assert line == body[:-1] + b',"h":"' + expected.encode() + b'"}\n'


@searched(40)
@given(st.text(), st.text(), st.integers(min_value=0, max_value=2**53))
def test_any_text_survives_the_archive(reason: str, detail: str, at: int) -> None:
    entry = Entry("5-7", at, "event", "step", reason, detail)

    _, line = extend(START, entry)

    assert line.count(b"\n") == 1
    assert take_apart(line.rstrip(b"\n")).entry == entry


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"rubbish" * 30,
        b"[1]" + b',"h":"' + b"0" * 64 + b'"}',
        b'{"n":1' + b',"h":"' + b"0" * 64 + b'"}',
        b'{"n":1,"id":"1-0","t":[],"e":"a","s":"","r":"","d":""' + b',"h":"' + b"0" * 64 + b'"}',
        b'{"n":1}{"n":2' + b',"h":"' + b"0" * 64 + b'"}',
    ],
)
def test_what_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        take_apart(line)


def test_half_a_line_is_cut_off_and_whole_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "file"
    append(path, b"one\ntwo\nthr")

    cut_half_line(path)

    assert path.read_bytes() == b"one\ntwo\n"
    cut_half_line(path)
    assert path.read_bytes() == b"one\ntwo\n"


def test_nothing_but_half_a_line_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    append(path, b"ha")

    cut_half_line(path)

    assert path.read_bytes() == b""
    assert list(lines_backwards(path)) == []


def test_lines_are_read_backwards_across_chunks(tmp_path: Path) -> None:
    path = tmp_path / "file"
    lines = [b"x" * size for size in (0, 1, 70_000, 65_535, 65_536, 3)]
    append(path, b"".join(line + b"\n" for line in lines) + b"half")

    assert list(lines_backwards(path)) == lines[::-1]
    assert list(lines_backwards(tmp_path / "none")) == []


def test_the_tail_is_found_behind_empty_files_and_damaged_lines(tmp_path: Path) -> None:
    head, line = extend(START, ENTRY)
    append(tmp_path / "2026-01-01.jsonl", line + b"damaged\n")
    append(tmp_path / "2026-01-02.jsonl", b"")
    append(tmp_path / "anchors.jsonl", b"{}\n")

    assert Archive(tmp_path).tail() == head
    assert Archive(tmp_path / "none").tail() is None


def test_only_one_process_or_thread_may_write(tmp_path: Path) -> None:
    with Archive(tmp_path).alone() as first, Archive(tmp_path).alone() as second:
        assert (first, second) == (True, False)
    with Archive(tmp_path).alone() as again:
        assert again


def test_the_anchor_key_is_not_the_encryption_key() -> None:
    key = anchor_key(b"e" * 32)

    assert len(key) == 32
    assert key != b"e" * 32
    assert key == anchor_key(b"e" * 32)


def test_an_anchor_says_what_was_signed(tmp_path: Path) -> None:
    anchors = Anchors(tmp_path, [b"k"])

    anchors.add(Head(5, "9-1", "f" * 64), at=1000)

    assert anchors.last() == Head(5, "9-1", "f" * 64)
    assert [anchor.wrong for anchor in anchors.read()] == [""]
    assert list(anchors.read(beyond=5)) == []


def test_half_an_anchor_left_by_a_crash_does_not_count(tmp_path: Path) -> None:
    anchors = Anchors(tmp_path, [b"k"])
    anchors.add(Head(1, "1-0", "f" * 64), at=1)
    append(tmp_path / "anchors.jsonl", b'{"n":2,')

    assert len(list(anchors.read())) == 1
    anchors.add(Head(2, "2-0", "f" * 64), at=2)

    assert [anchor.wrong for anchor in anchors.read()] == ["", ""]


def test_anchors_without_a_folder_are_none_at_all(tmp_path: Path) -> None:
    assert list(Anchors(tmp_path / "none", []).read()) == []
    assert Anchors(tmp_path / "none", []).last() is None


def test_entries_are_ordered_by_number_not_by_text() -> None:
    assert order("9-0") < order("10-0") < order("10-2") < order("10-10")
