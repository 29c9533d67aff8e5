"""The spool: what was appended is handed out, whole and in order, whatever happens to the process or the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.rows import InboxRow
from tasks.utils.spool import PAGE_ROWS, Spool, SpoolError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


MB = 1024 * 1024


def row(number: int, **alert: Any) -> InboxRow:
    return InboxRow(f"{number:08d}", {"n": number, "text": "ключ ☎\n\u2028", **alert}, "events", "1700000000000")


def rows(numbers: range) -> list[InboxRow]:
    return [row(number) for number in numbers]


def spool_in(folder: Path, **limits: int) -> Spool:
    return Spool(folder / "spool", **{"max_bytes": 64 * MB, **limits})


def drain(spool: Spool) -> list[InboxRow]:
    drained: list[InboxRow] = []
    while page := spool.read():
        drained += page
        spool.advance()
    return drained


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "spool").iterdir())


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = spool_in(tmp_path)
    yield spool
    spool.close()


def test_rows_come_out_as_they_went_in_and_then_nothing_is_left_on_disk(tmp_path: Path, spool: Spool) -> None:
    sent = rows(range(3 * PAGE_ROWS + 7))
    for start in range(0, len(sent), 100):
        spool.append([sent[start : start + 100]])
    assert spool.rows == len(sent)

    assert drain(spool) == sent
    assert (spool.rows, spool.size, files(tmp_path)) == (0, 0, [])


def test_reading_hands_out_the_same_rows_until_they_are_said_to_be_done(spool: Spool) -> None:
    spool.append([rows(range(3))])

    assert spool.read() == spool.read() == rows(range(3))
    assert spool.rows == 3


def test_what_is_appended_while_rows_are_being_handed_over_comes_after_them(spool: Spool) -> None:
    spool.append([rows(range(3))])
    first = spool.read()
    spool.append([rows(range(3, 5))])
    spool.advance()

    assert first + drain(spool) == rows(range(5))


def test_a_row_of_any_size_and_kind_survives(spool: Spool) -> None:
    odd = [row(1, details="é" * 2 * MB), row(2, half="\ud800"), row(3, odd=float("inf")), row(4)]
    spool.append([odd])

    assert drain(spool) == odd


def test_the_next_process_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    first = spool_in(tmp_path)
    first.append([rows(range(2 * PAGE_ROWS))])
    first.read()
    first.advance()
    first.close()

    second = spool_in(tmp_path)

    assert second.adopt() == PAGE_ROWS
    assert drain(second) == rows(range(PAGE_ROWS, 2 * PAGE_ROWS))


def test_a_file_has_one_holder_and_a_new_one_never_takes_its_name(tmp_path: Path, spool: Spool) -> None:
    spool.append([[row(1)]])
    other = spool_in(tmp_path)

    assert other.adopt() == 0
    other.append([[row(2)]])

    assert files(tmp_path) == ["00000001.jsonl", "00000002.jsonl"]
    assert other.held_by_others() == [tmp_path / "spool" / "00000001.jsonl"]
    other.close()


def test_what_others_left_behind_goes_first_and_a_page_in_hand_is_not_mixed_up_with_it(
    tmp_path: Path, spool: Spool
) -> None:
    other = spool_in(tmp_path)
    other.append([rows(range(3))])
    spool.append([rows(range(10, 13))])
    in_hand = spool.read()
    other.close()

    assert spool.adopt() == 3
    spool.append([[row(13)]])
    spool.advance()

    assert in_hand + drain(spool) == [*rows(range(10, 13)), *rows(range(3)), row(13)]


def test_files_of_a_dead_process_are_taken_over_in_the_order_they_were_written(tmp_path: Path) -> None:
    first = spool_in(tmp_path, file_bytes=2000)
    for number in range(200):
        first.append([[row(number)]])
    assert len(files(tmp_path)) > 9
    first.close()

    second = spool_in(tmp_path, file_bytes=2000)
    second.adopt()
    second.append([[row(200)]])

    assert drain(second) == rows(range(201))


def test_drained_files_leave_the_disk_before_everything_is_drained(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, file_bytes=2000)
    for number in range(100):
        spool.append([[row(number)]])
    before = spool.size

    spool.read()
    spool.advance()

    assert 0 < spool.size < before


def test_a_full_spool_takes_whole_parts_as_long_as_they_fit(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, max_bytes=1500)

    assert spool.append([rows(range(2)), rows(range(2, 5)), rows(range(5, 50)), [row(50)]]) == 2
    with pytest.raises(SpoolError, match="full"):
        spool.append([rows(range(50, 70))])

    assert drain(spool) == rows(range(5))


def test_a_spool_that_is_nearly_full_says_so_beforehand_and_how_to_mend_it(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, max_bytes=5000)
    while not spool.fault():
        spool.append([[row(1)]])

    assert 4000 < spool.size < 5000
    assert "raise spool.max_bytes" in spool.fault()
    drain(spool)
    assert spool.fault() == ""


def test_with_no_bytes_allowed_there_is_no_spool(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, max_bytes=0)

    with pytest.raises(SpoolError, match="max_bytes is 0"):
        spool.append([[row(1)]])
    assert not (tmp_path / "spool").exists()


def test_only_its_owner_may_look_at_what_waits(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)
    spool = spool_in(tmp_path)
    spool.append([[row(1)]])

    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "spool").iterdir()] == [0o600]


def test_a_person_can_read_a_file(tmp_path: Path, spool: Spool) -> None:
    spool.append([[row(7)]])

    [path] = (tmp_path / "spool").iterdir()
    head, line = (json.loads(text) for text in path.read_text("utf-8").split("\n")[:2])
    assert head["tocsin_spool"] == 1
    assert (line["row"]["id"], line["row"]["alert"]["n"]) == ("00000007", 7)
    assert "ключ" in path.read_text("utf-8")


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file stands in the way")
    spool = spool_in(tmp_path)

    with pytest.raises(SpoolError, match=r"spool cannot be written: .*; make room"):
        spool.append([[row(1)]])
    assert "cannot be written" in spool.fault()
