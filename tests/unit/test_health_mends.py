"""Whoever reads at night what to do must be able to do it: every command a mend names exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from tasks.utils.redaction import redacted
from workers.cli.lazy import LazyCommand
from workers.cli.main import app

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("tasks/health/**/*.py"), ROOT / "tasks" / "backups" / "lines.py"]
COMMAND = re.compile(r"`tocsin ([a-z][a-z -]*[a-z])")
NAMED = sorted({found for path in SOURCES for found in COMMAND.findall(path.read_text())})


def resolved(words: list[str]) -> bool:
    """Whether these words lead to a command; what comes behind one is its own business."""
    command: Any = typer.main.get_command(app)
    for word in words:
        command = command.load() if isinstance(command, LazyCommand) else command
        below = getattr(command, "commands", {})
        if not below or word.startswith("-"):
            return True
        if word not in below:
            return bool(getattr(command, "invoke_without_command", False)) and word.startswith("-")
        command = below[word]
    return True


def test_mends_name_commands() -> None:
    assert len(NAMED) > 10


@pytest.mark.parametrize("command", NAMED)
def test_a_command_that_a_mend_names_exists(command: str) -> None:
    assert resolved(command.split())
    assert redacted(command) == command
