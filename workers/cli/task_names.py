"""The wire names of all tasks, read from the source: quick enough for shell completion."""

import re
from difflib import get_close_matches
from pathlib import Path

import tasks

_NAME = re.compile(r"""\bname=["']([a-z_]+\.[a-z_]+)["']""")


def wire_names() -> list[str]:
    """Every name given in a `tasks/*/tasks.py`, sorted. Celery itself would take a second to say the same."""
    files = (file for root in tasks.__path__ for file in Path(root).glob("*/tasks.py"))
    return sorted({name for file in files for name in _NAME.findall(file.read_text("utf-8"))})


def complete(incomplete: str) -> list[str]:
    """The names that begin with what was typed so far."""
    return [name for name in wire_names() if name.startswith(incomplete)]


def did_you_mean(word: str, known: list[str]) -> str:
    """` Did you mean …?` when something near is known, else nothing."""
    near = get_close_matches(word, known, n=2)
    return f" Did you mean {' or '.join(near)}?" if near else ""
