"""The lines of commands in the help of their group."""

import pytest
from typer.main import get_command

from workers.cli.lazy import LazyCommand
from workers.cli.main import app
from workers.cli.short_help import LINE, in_a_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Make a token.", "Make a token"),
        ("Make a backup; encrypted where a key is set. What is as it was\nis left.", "Make a backup; encrypted where a key is set"),
        ("One incident whole: its alerts, notes and log, and which alert it is of.", "One incident whole"),
        ("The alerts that are open, newest news first, and what holds them back.", "The alerts that are open, newest news first"),
        ("Put archives that lie in the folder on the list, they are not on it. More.", "Put archives that lie in the folder on the list"),
        ("Put whatever lies in the folder of archives on the list again", "Put whatever lies in the folder of archives on the list again"),
        ("One line.\n\nAnd what else there is to say.", "One line"),
    ],
)  # fmt: skip
def test_a_description_becomes_a_line_that_ends_with_a_clause(text: str, line: str) -> None:
    assert in_a_line(text) == line


def test_no_group_breaks_a_line_off_in_the_middle() -> None:
    for name, one in get_command(app).commands.items():
        command = one.load() if isinstance(one, LazyCommand) else one
        for below in getattr(command, "commands", {}).values():
            assert below.short_help, (name, below.name)
            assert not below.get_short_help_str(LINE).endswith("..."), (name, below.name)
