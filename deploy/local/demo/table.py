import sys
from collections.abc import Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.utils.formatters import for_terminal

NUMBERS: Final = frozenset({"TOOK", "#"})
STYLES: Final = {
    "delivered": "green",
    "merged": "cyan",
    "suppressed": "blue",
    "dead": "magenta",
    "pending": "yellow",
    "resolved": "green",
    "triggered": "red",
}


def show(text: str = "", style: str = "") -> None:
    """Print text on standard output; in that style where it is a terminal."""
    if sys.stdout.isatty():
        Console(highlight=False).print(Text(text, style))
    else:
        print(text, flush=True)


def show_table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on standard output: drawn on a terminal, else in plain aligned text."""
    rows = [[for_terminal(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(title, headers, rows)
        return
    show(f"\n{title}\n")
    lines = [headers, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        cells = (_align(cell, head, width) for cell, head, width in zip(line, headers, widths, strict=True))
        show("  " + "  ".join(cells).rstrip())


def _draw(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for head in headers:
        table.add_column(head, justify="right" if head in NUMBERS else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, STYLES.get(cell, "")) for cell in row))
    console = Console()
    console.print()
    console.print(table)


def _align(cell: str, head: str, width: int) -> str:
    return f"{cell:>{width}}" if head in NUMBERS else f"{cell:<{width}}"
