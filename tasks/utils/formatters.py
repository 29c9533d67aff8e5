"""Text and JSON cut to size, without ever breaking a character or losing the beginning of a value; text made harmless where it is shown."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import date
from html import escape
from itertools import islice
from typing import Any

DEEPEST = 32
NOTE = "_tocsin"
_NOTED = 20  # entries named one by one in the note; a note must not outgrow what it saves
_MOST_ENTRIES = 1_000  # nobody reads more, and measuring each of 300,000 would hold up the next alert
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def compact_json(value: object) -> str:
    """JSON text without blanks, characters as they are; ValueError or TypeError for what JSON or UTF-8 cannot carry."""
    return _encode(value)


def json_bytes(value: object) -> int:
    """How many bytes `value` takes as compact UTF-8 JSON."""
    return len(compact_json(value).encode())


# What a terminal obeys or hides instead of showing it: control characters, the marks that turn text around, line ends that are
# none to a shell, invisible tags, half characters.
_OBEYED = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f\ud800-\udfff"
_IN_A_LINE = re.compile(f"[{_OBEYED}]")
_IN_A_BLOCK = re.compile(f"(?![\n\t])[{_OBEYED}]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$-])")
# Slack knows no escape for these: where two of a kind could enclose words, letters that look alike take their place.
_LOOK_ALIKE = {"*": "\u2217", "_": "\u02cd", "~": "\u223c"}
_EDGE = {mark: re.compile(rf"(?<![^\W_])\{mark}(?=\S)|(?<=\S)\{mark}(?![^\W_])") for mark in _LOOK_ALIKE}
_CALLED = re.compile(r"@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)


def for_terminal(text: str, *, block: bool = False) -> str:
    r"""`text` as a terminal or a line of a log may print it: what would be obeyed is shown as JSON would write it, `\u001b`.

    One line stays one line; a `block` keeps its line ends and tabs. A JSON document remains the same document.
    """
    return (_IN_A_BLOCK if block else _IN_A_LINE).sub(_as_json_writes_it, text)


def for_html(text: str) -> str:
    """`text` as HTML shows it, in an element or in a quoted attribute."""
    return escape(for_terminal(text, block=True))


def for_markdown(text: str) -> str:
    """`text` as Markdown shows it, in one line: no link, no HTML, no new cell or heading."""
    return _MARKDOWN.sub(r"\\\1", for_terminal(text))


def for_mrkdwn(text: str) -> str:
    """`text` as Slack's mrkdwn shows it, in one line: no mention, no link but a bare address, no code, nothing struck out."""
    tamed = escape(for_terminal(text), quote=False).replace("`", "'")
    for mark, alike in _LOOK_ALIKE.items():
        if tamed.count(mark) > 1:
            tamed = _EDGE[mark].sub(alike, tamed)
    return _CALLED.sub("@\u2060", tamed)


def _as_json_writes_it(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def cut_text(text: str, limit: int) -> str:
    """`text` in at most `limit` characters; an ellipsis marks a cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def is_tame(value: object) -> bool:
    """Whether JSON and UTF-8 can carry `value` as it stands, nested no deeper than `DEEPEST`."""
    return tame_bytes(value) is not None


def tame_bytes(value: object) -> int | None:
    """How many bytes `value` takes as compact UTF-8 JSON; None where it `is_tame` not."""
    try:
        text = compact_json(value).encode()
    except (TypeError, ValueError, RecursionError):
        return None
    # Counting brackets is far cheaper than measuring, and nearly every alert has fewer than could nest too deep.
    fits = text.count(b"{") + text.count(b"[") <= DEEPEST or _is_shallow(text)
    return len(text) if fits else None


def tame(value: object, *, room: int = DEEPEST - 2) -> Any:
    """A copy that JSON and UTF-8 can carry: odd characters replaced, odd numbers as text, deep parts left out."""
    if isinstance(value, dict | list | tuple):
        return _tame_parts(value, room - 1) if room > 0 else "(left out: nested too deep)"
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    text = value.isoformat() if isinstance(value, date) else str(value)
    return text.encode("utf-8", "replace").decode()


def _tame_parts(value: dict[Any, Any] | list[Any] | tuple[Any, ...], room: int) -> dict[str, Any] | list[Any]:
    if isinstance(value, dict):
        return {tame(str(key)): tame(item, room=room) for key, item in value.items()}
    return [tame(item, room=room) for item in value]


def shrink_details(details: Mapping[str, Any], budget: int) -> dict[str, Any]:
    """`details` in at most `budget` bytes of JSON: largest values cut first, `_tocsin` notes what was cut and its size.

    Every value longer than one common level is cut to that level, so small values stay whole. What is cut and
    was no text becomes the beginning of its JSON text. Names come first: entries that fit not even so are left out.
    """
    entries = islice(((name, value) for name, value in details.items() if name != NOTE), _MOST_ENTRIES)
    sizes = {name: json_bytes(value) for name, value in entries}
    frame = {name: json_bytes(name) + 2 for name in sizes}
    room = budget - _NOTED * 120 - 400
    kept = _first_that_fit(frame, room // 2)
    level = _level([sizes[name] for name in kept], room - sum(frame[name] for name in kept))
    short = {name: details[name] if sizes[name] <= level else _cut_value(details[name], level) for name in kept}
    cut = {name: size for name, size in sizes.items() if name not in short or size > level}
    return {**short, NOTE: _note(cut, unmeasured=len(details) - len(sizes))}


def _note(cut: Mapping[str, int], *, unmeasured: int) -> dict[str, Any]:
    named = sorted(cut, key=cut.__getitem__, reverse=True)[:_NOTED]
    return {
        "note": f"{len(cut) + unmeasured} of the details were cut or left out to fit PagerDuty's limit of 512 KB",
        "bytes_before": {cut_text(name, 16): cut[name] for name in named},
    }


def _first_that_fit(costs: Mapping[str, int], room: int) -> list[str]:
    kept = []
    for name, cost in costs.items():
        room -= cost
        if room >= 0:
            kept.append(name)
    return kept


def _level(sizes: Iterable[int], room: int) -> int:
    """The greatest level such that the sizes, none counted above it, sum up to at most `room`."""
    ordered = sorted(sizes)
    for index, size in enumerate(ordered):
        share = room // (len(ordered) - index)
        if size > share:
            return share
        room -= size
    return ordered[-1] if ordered else 0


def _cut_value(value: object, limit: int) -> str:
    """The beginning of `value` as text that takes at most `limit` bytes of JSON, quotes included."""
    text = value if isinstance(value, str) else compact_json(value)
    low, high = 0, min(len(text), max(limit, 0))
    while low < high:
        middle = (low + high + 1) // 2
        fits = json_bytes(text[:middle]) + len("…".encode()) <= limit
        low, high = (middle, high) if fits else (low, middle - 1)
    return text[:low] + "…"


def holds_more_values(text: bytes, limit: int) -> bool:
    """Whether sound JSON `text` holds more than about `limit` values; told in milliseconds, however many there are."""
    return _commas_and_brackets(text) > limit and _commas_and_brackets(_STRINGS.sub(b"", text)) > limit


def _commas_and_brackets(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _is_shallow(text: bytes) -> bool:
    """Whether JSON `text` nests no deeper than `DEEPEST`: its innermost pairs are taken away until none is left.

    A walk over a million values in Python would take seconds of everybody's time.
    """
    brackets = _STRINGS.sub(b"", text).translate(_ONE_KIND, _NO_BRACKETS)
    for _ in range(DEEPEST):
        if not brackets:
            return True
        brackets = brackets.replace(b"[]", b"")
    return not brackets
