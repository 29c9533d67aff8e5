"""The two notations of a mapping: a path to a value in a document, and a text with values filled in."""

import re
from dataclasses import dataclass
from typing import Final

from config.errors import UnfitError

PATH_MEND: Final = (
    'write names with dots, such as data.event.tags[0]; a name with other characters as ["a name"]; [*] for every entry '
    "of a list; [name=disk] for the entry whose `name` is disk; $item, $header.Some-Header and names of `let` with a $"
)
TEXT_MEND: Final = "write {path} or {path|text if there is none}; write {{ and }} where a brace itself is meant"
ITEM: Final = "item"
HEADER: Final = "header"
MOST_STEPS: Final = 20
MOST_LISTS: Final = 2  # how many [*] a path may have
_ROOT = re.compile(r"\$(\w*)")
_STEP = re.compile(
    r"""\.([\w@-]+)|\[(-?\d{1,6})\]|(\[\*\])|\[(?:"([^"]*)"|'([^']*)')\]|\[([\w@-]+)=([^\]]*)\]""", re.ASCII
)
_PIECE = re.compile(r"(\{\{|\}\})|\{([^{}]*)\}|([{}])")


@dataclass(frozen=True, slots=True)
class Every:
    """Goes on with every entry of a list."""


@dataclass(frozen=True, slots=True)
class Where:
    """Goes on with the first entry of a list whose `name` is `value`; of a list of lists, `name` is a number."""

    name: str
    value: str


Step = str | int | Every | Where


@dataclass(frozen=True, slots=True)
class Path:
    """Where a value stands: `root` is "" for the document, `item`, `header`, or a name that `let` defines."""

    text: str
    root: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """A place in a text that a value fills; `otherwise` stands in where there is none."""

    path: Path
    otherwise: str | None = None


Pieces = tuple[str | Hole, ...]


def parse_path(text: str) -> Path:
    """The path that `text` writes; UnfitError with the mend where it is none."""
    found = _ROOT.match(text)
    root = found[1] if found else ""
    rest = text[found.end() :] if found else text if text.startswith("[") else f".{text}"
    steps: list[Step] = []
    at = 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None:
            raise UnfitError(f"{text[:80]!r} is no path", PATH_MEND)
        steps.append(_step(step))
        at = step.end()
    if len(steps) > MOST_STEPS or steps.count(Every()) > MOST_LISTS:
        what = f"the path {text[:80]!r} is too long"
        raise UnfitError(what, f"use at most {MOST_STEPS} steps, and [*] at most {MOST_LISTS} times")
    return Path(text, root, tuple(_lower(step) for step in steps) if root == HEADER else tuple(steps))


def _lower(step: Step) -> Step:
    return step.lower() if isinstance(step, str) else step


def _step(found: re.Match[str]) -> Step:
    name, index, every, double, single, key, value = found.groups()
    if index:
        return int(index)
    if every:
        return Every()
    if key:
        return Where(key, value)
    return next(word for word in (name, double, single) if word is not None)


def parse_text(text: str) -> Pieces:
    """The pieces of a text with {path} in it; UnfitError with the mend where a brace or a path is at fault."""
    pieces: list[str | Hole] = []
    at = 0
    for found in _PIECE.finditer(text):
        pieces.append(text[at : found.start()])
        at = found.end()
        double, hole, lone = found.groups()
        if lone:
            raise UnfitError(f"has a lone {lone!r}", TEXT_MEND)
        pieces.append(double[0] if double else _hole(hole))
    pieces.append(text[at:])
    return _joined(pieces)


def _hole(text: str) -> Hole:
    path, bar, otherwise = text.partition("|")
    return Hole(parse_path(path.strip()), otherwise if bar else None)


def _joined(pieces: list[str | Hole]) -> Pieces:
    """Neighbouring texts as one; empty ones left out."""
    joined: list[str | Hole] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece:
            joined.append(piece)
    return tuple(joined)
