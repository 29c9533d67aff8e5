"""Archives: whoever changes, removes or forges one is found out."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

import pytest

from config.settings import load
from tasks.runtime import Runtime
from tasks.utils.error_handler import PermanentError
from tests.unit.config_kit import ENCRYPTION_KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.logs.log_kit import LogKit


@pytest.fixture
def archived(kit: LogKit) -> LogKit:
    """Three archives of worker logs."""
    for number in range(3):
        kit.write(f"logs/p{number}.log.1", f"line of {number}\n" * 100, days_old=20 + number)
    assert kit.told("worker_logs").items == 3
    return kit


def faults(kit: LogKit) -> str:
    report = kit.runtime.logs.archives.verify()
    assert report.holds == (not report.faults)
    return "; ".join(report.faults)


def chain(kit: LogKit) -> Path:
    return kit.state / "archives" / "chain.jsonl"


def file_of(kit: LogKit, place: int) -> Path:
    return kit.state / "archives" / kit.runtime.logs.archives.views()[place].file


def test_archives_that_are_as_they_were_written_verify(archived: LogKit) -> None:
    assert faults(archived) == ""
    assert all(one.is_encrypted and one.is_there for one in archived.runtime.logs.archives.views())


def test_a_flipped_bit_a_missing_file_and_a_swapped_file_are_each_named(archived: LogKit) -> None:
    first, second, third = (file_of(archived, place) for place in range(3))
    content = bytearray(first.read_bytes())
    content[-3] ^= 1
    first.write_bytes(content)
    kept = second.read_bytes()
    second.write_bytes(third.read_bytes())
    third.unlink()

    report = archived.runtime.logs.archives.verify()

    assert len(report.faults) == 3
    assert [re.search(r"p\d", fault)[0] for fault in report.faults] == ["p2", "p1", "p0"]  # type: ignore[index]
    second.write_bytes(kept)
    with pytest.raises(PermanentError, match="is missing"):
        archived.runtime.logs.restores.restore(archived.runtime.logs.archives.views()[2].id, "ada")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: [lines[0], lines[2]], "line 2 of chain.jsonl does not follow the line before it"),
        (lambda lines: lines[:2], "the end of chain.jsonl is missing"),
        (lambda lines: [lines[0].replace("p2.log", "p9.log"), *lines[1:]], "line 1 of chain.jsonl was changed"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 1 of chain.jsonl does not follow"),
        (lambda lines: [lines[0], "nonsense\n", lines[2]], "line 2 of chain.jsonl is not readable"),
    ],
)
def test_a_list_that_was_changed_is_found_out(
    archived: LogKit, change: Callable[[list[str]], list[str]], told: str
) -> None:
    lines = chain(archived).read_text().splitlines(keepends=True)
    chain(archived).write_text("".join(change(lines)))

    assert told in faults(archived)


def test_a_list_made_anew_without_the_key_is_found_out(archived: LogKit, make_kit: Callable[..., LogKit]) -> None:
    lines = [json.loads(line) for line in chain(archived).read_text().splitlines()]
    lines[-1]["mac"] = ""
    chain(archived).write_text(
        "".join(json.dumps(line, separators=(",", ":"), sort_keys=True) + "\n" for line in lines)
    )

    assert "line 3 of chain.jsonl is not signed although an encryption key is set" in faults(archived)


def test_no_header_list_or_name_of_an_archive_betrays_the_key_or_what_it_holds(archived: LogKit) -> None:
    stored = archived.everything_stored()

    assert ENCRYPTION_KEY.encode() not in stored
    assert b"line of" not in stored


def test_archives_outlive_a_new_key(archived: LogKit) -> None:
    archived.environ |= {
        "ENCRYPTION_KEY": base64.urlsafe_b64encode(b"n" * 32).decode(),
        "TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS": ENCRYPTION_KEY,
    }
    logs = Runtime(load(environ=archived.environ)).logs
    archived.write("logs/new.log.1", "new words", days_old=20)
    assert archived.told("worker_logs").items == 1

    assert logs.archives.verify().holds
    assert len(logs.restores.restore(logs.archives.views()[0].id, "ada").places) == 1
