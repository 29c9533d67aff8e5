"""Reading a document by the paths and values of a mapping: what is not there is None, and nothing is evaluated."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from config.mapping_paths import HEADER, ITEM, Every, Hole, Path, Pieces, Step, Where
from config.mappings import Condition, Test, Value
from tasks.utils.formatters import compact_json, tame

MOST_ENTRIES: Final = 500  # of any list: how many are looked at, and how many alerts one document makes
SECRETS: Final = ("authorization", "proxy-authorization", "cookie")  # headers that no mapping sees
MOST_CHARACTERS: Final = 10_000  # of one value within a text
_MILLISECONDS: Final = 1e11  # as seconds it would be the year 5138


class Document:
    """A document with the headers of its request, and the names its mapping gave to parts of it.

    What is found in the document as a whole is kept, so that 500 entries which all look at it cost one look.
    """

    def __init__(self, body: object, headers: Mapping[str, str], let: Mapping[str, Value]) -> None:
        named = {name.lower(): value for name, value in headers.items()}
        self._roots: dict[str, object] = {"": body, HEADER: {k: v for k, v in named.items() if k not in SECRETS}}
        self._let = let
        self._found: dict[str, object] = {}
        self._texts: dict[int, tuple[object, str]] = {}

    def find(self, path: Path) -> object:
        """The value at a path that does not begin with $item; None where there is none."""
        if path.text not in self._found:
            if path.root not in self._roots:
                self._roots[path.root] = Scope(self).value(self._let[path.root])
            self._found[path.text] = _walk(self._roots[path.root], path.steps)
        return self._found[path.text]

    def text(self, value: object) -> str:
        """A value as it reads within a text: a list with commas, an object as JSON, at most `MOST_CHARACTERS` of it."""
        if not isinstance(value, dict | list):
            return _scalar_text(value)
        # Kept with its text, so that no other value can come to the same identity.
        if id(value) not in self._texts:
            self._texts[id(value)] = (value, _container_text(value))
        return self._texts[id(value)][1]


class Scope:
    """The document as one alert sees it: with the entry it is made of, if it is made of one."""

    def __init__(self, document: Document, item: object = None) -> None:
        self._document = document
        self._item = item

    def find(self, path: Path) -> object:
        """The value at a path; None where there is none."""
        return _walk(self._item, path.steps) if path.root == ITEM else self._document.find(path)

    def holds(self, condition: Condition) -> bool:
        """Whether all tests of a condition hold."""
        return all(self._passes(test) for test in condition)

    def _passes(self, test: Test) -> bool:
        text = self._document.text(self.find(test.path)).encode("utf-8", "replace").decode()  # RE2 takes UTF-8 only
        return test.matcher.matches({test.matcher.name: text})

    def value(self, value: Value) -> object:
        """What a value of the mapping comes to; None where the document has not what it needs."""
        made = self._made(value)
        if value.parse:
            made = _parsed(made)
        if value.lower and isinstance(made, str):
            made = made.lower()
        if value.table is not None:
            made = value.table.get(self._document.text(made))
        return self.value(value.default) if is_blank(made) and value.default is not None else made

    def text(self, value: Value) -> str:
        """The same as text; empty where there is none."""
        return self._document.text(self.value(value))

    def _made(self, value: Value) -> object:
        if value.first:
            return next((made for each in value.first if not is_blank(made := self.value(each))), None)
        if value.hash:
            return self._hash(value.hash)
        return self._filled(value.pieces)

    def _hash(self, values: tuple[Value, ...]) -> str | None:
        parts = [self.text(each) for each in values]
        return digest(compact_json(parts)) if any(parts) else None

    def _filled(self, pieces: Pieces) -> object:
        """The pieces as one text, or None if a hole stays empty; a lone hole gives its value as it is."""
        if len(pieces) == 1 and isinstance(pieces[0], Hole):
            found = self.find(pieces[0].path)
            return pieces[0].otherwise if is_blank(found) else found
        texts = [piece if isinstance(piece, str) else self._filling(piece) for piece in pieces]
        return None if None in texts else "".join(filter(None, texts))

    def _filling(self, hole: Hole) -> str | None:
        found = self.find(hole.path)
        return hole.otherwise if is_blank(found) else self._document.text(found)


def digest(text: str) -> str:
    """A short name for a text: 32 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _walk(at: object, steps: tuple[Step, ...]) -> object:
    for number, step in enumerate(steps):
        if isinstance(step, Every):
            return list(islice(_spread(at, steps[number + 1 :]), MOST_ENTRIES))
        at = _step(at, step)
        if at is None:
            return None
    return at


def _spread(at: object, rest: tuple[Step, ...]) -> Iterator[object]:
    """What `rest` finds in each entry of a list, lists of a further [*] joined."""
    for entry in at if isinstance(at, list) else ():
        found = _walk(entry, rest)
        if isinstance(found, list) and Every() in rest:
            yield from found
        elif found is not None:
            yield found


def _step(at: object, step: Step) -> object:
    if isinstance(step, str):
        return at.get(step) if isinstance(at, dict) else None
    if not isinstance(at, list):
        return None
    if isinstance(step, int):
        return at[step] if -len(at) <= step < len(at) else None
    return next((entry for entry in at[:MOST_ENTRIES] if isinstance(step, Where) and _is_named(entry, step)), None)


def _is_named(entry: object, step: Where) -> bool:
    if isinstance(entry, list):
        return step.name.isdecimal() and _scalar_text(_step(entry, int(step.name))) == step.value
    return isinstance(entry, dict) and _scalar_text(entry.get(step.name)) == step.value


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def is_blank(value: object) -> bool:
    """Whether a value says nothing: none, an empty list or object, or a text of blanks."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def _scalar_text(value: object) -> str:
    if isinstance(value, str):
        return value[:MOST_CHARACTERS]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else ""


def _container_text(value: dict[str, Any] | list[Any]) -> str:
    if isinstance(value, list) and not any(isinstance(entry, dict | list) for entry in value):
        return ", ".join(filter(None, map(_scalar_text, value[:MOST_ENTRIES])))[:MOST_CHARACTERS]
    # Sorted: the same object must give the same hash, in whatever order its sender writes it next time.
    text = json.dumps(tame(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text[:MOST_CHARACTERS]


def timestamp(value: object) -> str | None:
    """A moment in ISO 8601 from ISO text or a number since the epoch, in s, ms, µs or ns; None for anything else."""
    try:
        return _moment(value).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return None


def _moment(value: object) -> datetime:
    text = _scalar_text(value).strip()
    try:
        number = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    for _ in range(3):
        number /= 1000 if abs(number) >= _MILLISECONDS else 1
    return datetime.fromtimestamp(number, UTC)
