"""How every verb speaks: answers on stdout, talk on stderr, one JSON document with `--json`."""

import json
import sys
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Annotated, Any

import typer

from tasks.utils.formatters import for_terminal


class ExitCode(IntEnum):
    """What a script can rely on; the numbers are a contract."""

    OK = 0
    FAILED = 1
    USAGE = 2
    DEGRADED = 3
    CHANGES_PENDING = 4
    NEEDS_CONFIRMATION = 5
    UNAVAILABLE = 69
    TRY_LATER = 75
    BAD_CONFIG = 78
    INTERRUPTED = 130


EXIT_CODES = (
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 degraded, 4 changes pending, 5 needs confirmation, "
    "69 unavailable, 75 try later, 78 bad config, 130 interrupted."
)

JsonFlag = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]


class CliError(Exception):
    """Ends the program with this text on stderr and this exit code, and no traceback."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """Talk to the person at the terminal: stderr, so that stdout holds nothing but the answer."""
    print(for_terminal(text, block=True), file=sys.stderr, flush=True)  # noqa: T201


def answer(text: str) -> None:
    """Print the answer itself. What an alert brought along is shown, never obeyed by the terminal; JSON stays the same JSON."""
    print(for_terminal(text, block=True), flush=True)  # noqa: T201


def answer_json(document: Any) -> None:
    """Print one JSON document; what JSON does not know (times, paths) is written as text."""
    answer(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def answer_fields(fields: Mapping[str, object]) -> None:
    """Print one aligned `name  value` line per field; empty values are left out."""
    shown = {name: for_terminal(str(value)) for name, value in fields.items() if value not in (None, "", [], {})}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        answer(f"{name:<{width}}  {value}")


def answer_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: drawn by rich on a terminal, plain aligned text in a pipe."""
    cells = [[for_terminal(str(cell)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(headers, cells)
        return
    lines = [list(headers), *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        answer("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _draw(headers: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))  # Text: a "[" in an alert is not markup
    Console().print(table)
