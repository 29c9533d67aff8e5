"""As much of PagerDuty's condition language as routing rules commonly use.

`event.<path> matches '…'`, `matches part '…'`, `matches regex '…'` and `exists`, each perhaps after `not`, joined by
`and` and `or` (which binds less). A condition that says anything else matches nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Test = Callable[[Mapping[str, Any]], bool]

TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|[^\s'()]+")
PART = re.compile(
    r"(?P<negated>not\s+)?event\.(?P<path>[\w.\-]+)\s+"
    r"(?:(?P<exists>exists)|(?P<how>matches(?:\s+(?:part|regex))?)\s+'(?P<value>(?:[^'\\]|\\.)*)')"
)
# What orchestrations call otherwise than events do.
PAYLOAD = ("summary", "source", "severity", "component", "group", "class", "custom_details", "timestamp")


def matches(conditions: Sequence[Mapping[str, Any]], event: Mapping[str, Any]) -> bool:
    """Whether any of the conditions is met; a rule without conditions always matches."""
    return not conditions or any(_condition(str(one.get("expression", "")))(event) for one in conditions)


@lru_cache(maxsize=10_000)
def _condition(expression: str) -> Test:
    ways = [[_test(part) for part in _split(way, "and")] for way in _split(expression, "or")]
    return lambda event: any(all(test(event) for test in way) for way in ways)


def _split(expression: str, word: str) -> list[str]:
    """The parts of an expression between a word, wherever it stands outside quotes."""
    parts, last = [], 0
    for token in TOKEN.finditer(expression):
        if token.group() == word:
            parts.append(expression[last : token.start()])
            last = token.end()
    return [part.strip() for part in (*parts, expression[last:])]


def _test(part: str) -> Test:
    found = PART.fullmatch(part)
    if found is None:
        return lambda _: False
    path, wanted, how = found["path"], (found["value"] or "").replace("\\'", "'"), (found["how"] or "").split()[1:]
    negated = found["negated"] is not None

    def test(event: Mapping[str, Any]) -> bool:
        value = value_of(event, path)
        return _holds(value, wanted, how[0] if how else "", exists=bool(found["exists"])) != negated

    return test


def _holds(value: str | None, wanted: str, how: str, *, exists: bool) -> bool:
    if value is None or exists:
        return value is not None
    if how == "part":
        return wanted in value
    return re.search(wanted, value) is not None if how == "regex" else value == wanted


def value_of(event: Mapping[str, Any], path: str) -> str | None:
    """What an event says at a path, named as orchestrations name it; None where it says nothing."""
    names = path.split(".")
    value: Any = event.get("payload") if names[0] in PAYLOAD else event
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return None if value is None else str(value)
