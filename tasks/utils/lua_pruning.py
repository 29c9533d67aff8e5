"""Leaves out of a script the shared functions it never calls: Lua makes every function anew in each call of a script, used or not."""

from __future__ import annotations

import re
from textwrap import indent
from typing import Final, NamedTuple

_ONE_LINE: Final = re.compile(r"^local function (\w+)\([^\n]* end$")
_WORD: Final = re.compile(r"\b[A-Za-z_]\w*\b")
COLD: Final = frozenset(
    (
        "acknowledged_escalation",
        "bury",
        "close_it",
        "end_story",
        "fold",
        "fold_least_urgent",
        "group_at",
        "joins_group",
        "keep_back",
        "let_go",
        "open_it",
        "said_by_all",
        "start_escalation",
        "still_answers",
        "stop_escalation",
        "take_up",
        "tell",
        "unsay",
    )
)
"""Functions that plain news never calls: what only they need is made when they are."""


class _Function(NamedTuple):
    name: str
    text: str


def prune(shared: str, own: str) -> str:
    """The shared code without functions that nothing of `own` leads to; those that only a cold one needs are put into it."""
    functions, rest = _parted(shared)
    texts = {one.name: one.text for one in functions}
    hot = _reached(_words(own) | _words(rest), texts, stop=COLD)
    code = shared
    for one in functions:
        if one.name in COLD & hot:
            inner = _reached(_words(one.text), texts, stop=frozenset()) - hot
            nested = "\n".join(other.text for other in functions if other.name in inner)
            code = code.replace(one.text, _with_inner(one.text, nested), 1)
    for one in functions:
        if one.name not in hot:
            code = code.replace(f"{one.text}\n", "", 1)
    return code


def _parted(shared: str) -> tuple[list[_Function], str]:
    """Its functions in order, and all that is no function."""
    functions, rest, lines = [], [], iter(shared.split("\n"))
    for line in lines:
        if not line.startswith("local function "):
            rest.append(line)
            continue
        text = [line]
        while not _ONE_LINE.match(line) and text[-1] != "end":
            text.append(next(lines))
        functions.append(_Function(line.removeprefix("local function ").partition("(")[0], "\n".join(text)))
    return functions, "\n".join(rest)


def _reached(words: set[str], texts: dict[str, str], stop: frozenset[str]) -> set[str]:
    """Functions these words lead to, and what those lead to; what the ones in `stop` lead to is left out."""
    found: set[str] = set()
    left = [word for word in words if word in texts]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [word for word in _words(texts[name]) if word in texts and name not in stop]
    return found


def _with_inner(text: str, nested: str) -> str:
    head, _, body = text.partition("\n")
    return f"{head}\n{indent(nested, '  ')}\n{body}" if nested else text


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text))
