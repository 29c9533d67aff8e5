import io

import pytest

from deploy.local.exits import in_words
from deploy.local.lines import LogLine, read_line
from deploy.local.terminal import Level, Terminal


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("raw", "level", "text"),
    [
        ('{"event": "sent", "level": "info", "uid": "7", "task_id": "x", "note": null}', Level.PLAIN, "sent uid=7"),
        ('{"event": "odd"}', Level.PLAIN, "odd"),
        (
            "2026-11-22T00:00:00Z [warning  ] key_paused        service=db",
            Level.WARNING,
            "key_paused        service=db",
        ),
        ("[2026-11-22 00:00:00,000: ERROR/MainProcess] away", Level.ERROR, "away"),
        ("INFO:     Application startup complete.", Level.PLAIN, "Application startup complete."),
        ("[W 261122 00:00:00 events:1] slow", Level.WARNING, "slow"),
        ("\x1b[2m2026-11-22T00:00:00Z\x1b[0m [\x1b[31merror    \x1b[0m] \x1b[1mtorn\x1b[0m", Level.ERROR, "torn"),
    ],
)
def test_a_line_of_any_log_is_understood(raw: str, level: Level, text: str) -> None:
    line = read_line(raw)

    assert (line.level, line.text) == (level, text)


def test_the_event_is_kept_apart_from_its_values() -> None:
    assert read_line('{"event": "sent", "uid": "7"}') == LogLine(Level.PLAIN, "sent", "sent uid=7")


@pytest.mark.parametrize("raw", ["", "Traceback (most recent call last):", "{broken", "[1, 2]", '{"no": "event"}'])
def test_what_is_no_log_is_left_alone(raw: str) -> None:
    assert read_line(raw) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "was ended by SIGKILL"),
        (-200, "was ended by signal 200"),
        (0, "ended by itself, without an error"),
        (78, "ended because its configuration is wrong (exit code 78)"),
        (42, "ended with an error (exit code 42)"),
    ],
)
def test_an_end_is_told_in_words(code: int, words: str) -> None:
    assert in_words(code) == words


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen()

    Terminal(screen).say("bell", "torn", Level.ERROR)

    assert "\033[31mtorn\033[0m" in screen.getvalue()


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()

    Terminal(screen).say("bell", "torn", Level.ERROR)

    assert "\033" not in screen.getvalue()


def test_a_file_gets_no_colours_and_the_whole_line() -> None:
    screen = io.StringIO()

    Terminal(screen).say("bell", "x" * 300)

    assert screen.getvalue().endswith("  bell         " + "x" * 300 + "\n")


def test_a_line_of_many_lines_becomes_one() -> None:
    screen = io.StringIO()

    Terminal(screen).say("bell", "first\n  second\tthird")

    assert screen.getvalue().endswith("first second third\n")


def test_each_child_keeps_its_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen()
    terminal = Terminal(screen)
    for who in ("bell", "rope", "bell"):
        terminal.say(who, "ring")

    first, second, third = (line.split("  ")[1] for line in screen.getvalue().splitlines())

    assert first == third != second
