"""Documents of foreign senders turned into alerts by a mapping: pure, bounded, and no text of a document is evaluated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from config.mapping_fields import CHANGE, WORDS
from config.mapping_files import load_mapping
from config.mappings import Fields, Rule, Shape, Value, WebhookMapping
from tasks.utils.document import MOST_ENTRIES, Document, Scope, digest, is_blank, timestamp
from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.formatters import compact_json, cut_text, json_bytes, shrink_details, tame

MOST_BYTES: Final = 8_000_000  # of the details of all alerts that one document makes
MOST_BYTES_OF_ONE: Final = 512_000
MOST_CHARACTERS: Final = 2_000  # of a field that is text
ACTIONS: Final = WORDS["event_action"]
_TOP: Final = ("event_action", "dedup_key", "client", "client_url")
_ADDRESSES: Final = ("client_url", "href", "src")


@dataclass(frozen=True, slots=True)
class Ignored:
    """A document, or an entry of one, that a rule of the mapping drops by name."""

    rule: str


Outcome = dict[str, Any] | InvalidAlertError | Ignored


class DataTransformer:
    """Makes alerts of documents as one mapping says."""

    def __init__(self, mapping: WebhookMapping) -> None:
        self._mapping = mapping

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """The transformer for a mapping's file; ConfigError names everything that is wrong with it."""
        return cls(load_mapping(Path(path)))

    def alerts(self, document: object, headers: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """The alerts of a document, in wire shape; none where a rule ignores it. InvalidAlertError if one does not fit."""
        outcomes = self.outcomes(document, headers)
        faults = [error for outcome in outcomes if isinstance(outcome, InvalidAlertError) for error in outcome.errors]
        if faults:
            raise InvalidAlertError(faults)
        return [outcome for outcome in outcomes if isinstance(outcome, dict)]

    def outcomes(self, document: object, headers: Mapping[str, str] | None = None) -> list[Outcome]:
        """What becomes of a document: a lone `Ignored`, or what becomes of each alert in it, at most 500.

        InvalidAlertError if no shape of the mapping fits the document at all.
        """
        whole = Document(document, headers or {}, self._mapping.let)
        scope = Scope(whole)
        dropped = _ignored(self._mapping.ignore, scope)
        if dropped:
            return [dropped]
        shape = next((shape for shape in self._mapping.alerts if scope.holds(shape.when)), None)
        if shape is None:
            raise InvalidAlertError([self._no_shape()])
        if shape.each is None:
            return [_outcome(shape, _Builder(scope, whole, _Room(MOST_BYTES_OF_ONE)))]
        return list(_each(shape, whole, scope.find(shape.each)))

    def _no_shape(self) -> str:
        names = ", ".join(repr(shape.name) for shape in self._mapping.alerts)
        mend = "send what the mapping is for, add a shape for it, or ignore it by a rule"
        return f"{self._mapping.place}: alerts: the document fits none of {names}; mend: {mend}"


def _each(shape: Shape, whole: Document, entries: object) -> Iterator[Outcome]:
    if not isinstance(entries, list):
        path = shape.each.text if shape.each else ""
        raise InvalidAlertError([f"{shape.place}: each: the document has no list at {path}; mend: correct the path"])
    taken = entries[:MOST_ENTRIES]
    room = _Room(min(MOST_BYTES // max(len(taken), 1), MOST_BYTES_OF_ONE))
    for entry in taken:
        builder = _Builder(Scope(whole, entry), whole, room)
        yield _ignored(shape.ignore, builder.scope) or _outcome(shape, builder)
    if len(entries) > len(taken):
        left = f"{len(entries) - len(taken)} more entries were not taken: a document may hold {MOST_ENTRIES}"
        yield InvalidAlertError([f"{left}; mend: send fewer at once"])


def _ignored(rules: tuple[Rule, ...], scope: Scope) -> Ignored | None:
    return next((Ignored(rule.name) for rule in rules if scope.holds(rule.when)), None)


def _outcome(shape: Shape, builder: "_Builder") -> Outcome:
    try:
        return builder.alert(shape.fields)
    except InvalidAlertError as error:
        return error


class _Room:
    """Cuts values to a number of bytes; a part of the document that several alerts hold is measured once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: dict[int, tuple[object, object]] = {}

    def fitted(self, value: object) -> object:
        """The value itself where it fits, else as much of it as does."""
        if isinstance(value, str):
            return cut_text(value, self._size)
        if not isinstance(value, dict | list):
            return value
        # Kept with its result, so that no other value can come to the same identity.
        if id(value) not in self._known:
            self._known[id(value)] = (value, self._cut(value))
        return self._known[id(value)][1]

    def _cut(self, value: dict[str, Any] | list[Any]) -> object:
        tamed = tame(value)
        if json_bytes(tamed) <= self._size:
            return value
        return (
            shrink_details(tamed, self._size) if isinstance(tamed, dict) else cut_text(compact_json(tamed), self._size)
        )


class _Builder:
    """Makes one alert, its details cut to `room`."""

    def __init__(self, scope: Scope, whole: Document, room: _Room) -> None:
        self.scope = scope
        self._whole = whole
        self._room = room

    def alert(self, fields: Fields) -> dict[str, Any]:
        texts = {name: text for name, value in fields.texts.items() if (text := self._text(name, value)) is not None}
        is_change = texts.get("event_action") == CHANGE
        self._check_needed(fields, texts, is_change=is_change)
        if is_change:
            texts.pop("dedup_key", None)
        details = self._details(fields.details)
        top: dict[str, Any] = {name: texts.pop(name) for name in _TOP if name in texts}
        return {
            **top,
            "payload": {**texts, **({} if is_blank(details) else {"custom_details": details})},
            **self._list("links", fields.links, "href"),
            **self._list("images", fields.images, "src"),
        }

    def _check_needed(self, fields: Fields, texts: Mapping[str, str], *, is_change: bool) -> None:
        action = texts.get("event_action")
        needed = ["event_action"] if is_change else ["event_action", "dedup_key"]
        if action in ("trigger", CHANGE):
            needed.append("summary")
        faults = [_missing(name, fields.texts[name]) for name in needed if name not in texts]
        if action is not None and action not in ACTIONS:
            faults.append(_unknown(action, fields.texts["event_action"]))
        if faults:
            raise InvalidAlertError(faults)

    def _text(self, name: str, value: Value) -> str | None:
        made = self.scope.value(value)
        if name == "timestamp":
            return timestamp(made)
        text = self._whole.text(made)
        if name == "dedup_key" and len(text) > MOST_CHARACTERS // 2:
            # Cut alone, two long keys could become one.
            text = f"{text[: MOST_CHARACTERS // 2]}/{digest(text)}"
        if name in _ADDRESSES and len(text) > MOST_CHARACTERS:
            return None
        return cut_text(text, MOST_CHARACTERS) if text.strip() else None

    def _details(self, details: Value | Mapping[str, Value]) -> object:
        if isinstance(details, Value):
            return self._room.fitted(self.scope.value(details))
        values = {name: self._room.fitted(self.scope.value(value)) for name, value in details.items()}
        return self._room.fitted({name: value for name, value in values.items() if not is_blank(value)})

    def _list(self, name: str, entries: tuple[Mapping[str, Value], ...], needed: str) -> dict[str, Any]:
        made = [{key: text for key, value in entry.items() if (text := self._text(key, value))} for entry in entries]
        kept = [entry for entry in made if needed in entry]
        return {name: kept} if kept else {}


def _missing(name: str, value: Value) -> str:
    looked = ", ".join(dict.fromkeys(path.text for path in value.paths()))
    what = f"the document has nothing fit for it at {looked}" if looked else "comes to nothing"
    return f"{value.place}: {name}: {what}; mend: correct the path, complete the `map`, or give a `default`"


def _unknown(action: str, value: Value) -> str:
    what = f"the document makes it {cut_text(action, 60)!r}, which is none of {', '.join(ACTIONS)}"
    return f"{value.place}: event_action: {what}; mend: give the words of the sender a `map`"
