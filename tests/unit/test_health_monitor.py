"""Checks side by side, each in bounded time."""

from __future__ import annotations

import threading
import time

import redis

from tasks.utils.error_handler import PermanentError
from tasks.utils.health_monitor import NO_SERVER, Check, Line, run_checks, status_of


def raising(error: Exception) -> Check:
    def run() -> list[Line]:
        raise error

    return Check("part", run)


def test_checks_run_side_by_side_and_answer_in_their_order() -> None:
    meeting = threading.Barrier(3, timeout=5)

    def meet(name: str) -> Check:
        return Check(name, lambda: [Line(f"{name}.{meeting.wait() >= 0}", "ok", "met")])

    lines = run_checks([meet("a"), meet("b"), meet("c")], within=5)

    assert [line.name for line in lines] == ["a.True", "b.True", "c.True"]


def test_a_check_that_hangs_is_left_behind_and_the_others_are_told() -> None:
    let_go = threading.Event()
    hangs = Check("dns", lambda: [Line("dns.late", "ok", str(let_go.wait(30)))], within=0.05)

    began = time.monotonic()
    lines = run_checks([hangs, Check("well", lambda: [Line("well.is", "ok", "yes")])], within=5)
    let_go.set()

    assert time.monotonic() - began < 2
    assert [(line.name, line.state) for line in lines] == [("dns.answer", "fail"), ("well.is", "ok")]
    assert "DNS" in lines[0].mend


def test_all_together_take_no_longer_than_they_may() -> None:
    let_go = threading.Event()
    checks = [Check(str(n), lambda: [Line("x", "ok", str(let_go.wait(30)))], within=20) for n in range(20)]

    began = time.monotonic()
    lines = run_checks(checks, within=0.1)
    let_go.set()

    assert time.monotonic() - began < 2
    assert {line.state for line in lines} == {"fail"}


def test_what_cannot_be_known_without_the_server_is_skipped() -> None:
    [line] = run_checks([raising(redis.ConnectionError("away"))], within=1)

    assert (line.name, line.state, line.value) == ("part.answer", "skip", NO_SERVER)


def test_an_error_is_a_failed_line_in_its_words_with_its_mend_and_without_secrets() -> None:
    [line] = run_checks([raising(PermanentError("key " + "0123456789abcdef" * 2 + " is bad"))], within=1)

    assert line.state == "fail"
    assert "is bad" in line.value
    assert "0123456789abcdef" not in line.value
    assert line.mend


def test_the_worst_line_decides() -> None:
    def lines(*states: str) -> list[Line]:
        return [Line("a.b", state, "") for state in states]  # type: ignore[arg-type]

    assert status_of(lines("ok", "fail", "warn", "skip")) == "fail"
    assert status_of(lines("ok", "warn", "skip")) == "warn"
    assert status_of(lines("skip", "ok")) == "ok"
