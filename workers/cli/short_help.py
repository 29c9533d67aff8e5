"""The line a command has in the help of its group: what it does, ending where a clause ends and not in the middle of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typer._click import Command

LINE: Final = 60  # characters, beside the longest name, in a terminal of 80
LEAST: Final = 15
ENDS: Final = ((". ", "; ", ": "), (", ",))


def shorten(command: Command) -> None:
    """Give all commands below one their lines."""
    below: dict[str, Command] = getattr(command, "commands", {})
    for one in below.values():
        one.short_help = one.short_help or in_a_line(one.help or "")
        shorten(one)


def in_a_line(text: str) -> str:
    """The beginning of a description, up to the last clause that fits; all of the first sentence where none does."""
    whole = " ".join(text.partition("\n\n")[0].split()).removesuffix(".")
    if len(whole) <= LINE:
        return whole
    for ends in ENDS:
        cut = max(whole.rfind(end, LEAST, LINE + 1) for end in ends)
        if cut > 0:
            return whole[:cut]
    return whole.partition(". ")[0]
