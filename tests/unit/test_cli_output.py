import json
from pathlib import Path

import pytest

from workers.cli.output import EXIT_CODES, ExitCode, answer_fields, answer_json, answer_table, say


def test_exit_codes_are_the_contract_and_told_in_the_help() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 4, 5, 69, 75, 78, 130]
    assert all(f"{int(code)} {code.name.lower().replace('_', ' ')}" in EXIT_CODES for code in ExitCode)


def test_talk_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello")

    assert capsys.readouterr() == ("", "hello\n")


def test_a_table_in_a_pipe_is_plain_and_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    answer_table(("A", "LONG NAME"), [("x", 1), ("longer", "")])

    assert capsys.readouterr().out == "A       LONG NAME\nx       1\nlonger\n"


def test_a_table_on_a_terminal_is_drawn_and_takes_no_markup_from_data(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    answer_table(("NAME",), [("[red]alarm[/red]",)])

    shown = capsys.readouterr().out
    assert "[red]alarm[/red]" in shown
    assert "─" in shown


def test_fields_are_aligned_and_empty_ones_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    answer_fields({"name": "n", "a longer one": 0, "nothing": None})

    assert capsys.readouterr().out == "name          n\na longer one  0\n"


def test_json_is_one_document_that_writes_the_unknown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    answer_json({"path": Path("a"), "text": "ü"})

    out = capsys.readouterr().out
    assert json.loads(out) == {"path": "a", "text": "ü"}
    assert "ü" in out


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_every_kind_of_nothing_is_left_out(capsys: pytest.CaptureFixture[str], value: object) -> None:
    answer_fields({"nothing": value})

    assert capsys.readouterr().out == ""
