"""The fields of an alert as a mapping writes them."""

from collections.abc import Iterator, Mapping
from typing import Final, get_args

from config.mapping_paths import Hole
from config.mapping_values import Roots, Values, join
from config.mappings import IMAGE_FIELDS, LINK_FIELDS, TEXT_FIELDS, Fields, Value
from config.sections import Severity
from config.sources import Node

FIELDS_MEND: Final = f"write some of {', '.join(TEXT_FIELDS)}, custom_details, links, images"
CHANGE: Final = "change"
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "event_action": ("trigger", "acknowledge", "resolve", CHANGE),
    "severity": get_args(Severity),
}
NEEDED: Final = {
    "event_action": "say what has happened: trigger, acknowledge or resolve, often by a `map`",
    "dedup_key": "say what makes two alerts the same one, so that a resolve finds its trigger",
    "summary": "say in one line what is wrong",
}
ACTIONS_WITHOUT: Final = {"dedup_key": {CHANGE}, "summary": {"acknowledge", "resolve"}}


class FieldReader(Values):
    """Reads the fields of an alert, each with what is known of it."""

    def fields(self, node: Node, key: str, roots: Roots) -> Fields:
        """All fields; those an alert cannot do without are reported where they are missing."""
        given = self.members(node, key, (*TEXT_FIELDS, "custom_details", "links", "images"), FIELDS_MEND)
        texts: dict[str, Value | None] = {
            name: self._field(given[name], key, name, roots) for name in TEXT_FIELDS if name in given
        }
        self._check_needed(node, key, texts)
        return Fields(
            texts={name: value for name, value in texts.items() if value is not None},
            details=self._details(given.get("custom_details"), join(key, "custom_details"), roots),
            links=tuple(self._list(given.get("links"), join(key, "links"), LINK_FIELDS, roots)),
            images=tuple(self._list(given.get("images"), join(key, "images"), IMAGE_FIELDS, roots)),
        )

    def _field(self, node: Node, key: str, name: str, roots: Roots) -> Value | None:
        value = self.value(node, join(key, name), roots)
        words = WORDS.get(name, ())
        for word in fixed_words(value) if value and words else ():
            if word not in words:
                self.fault(node, join(key, name), f"can become {word[:60]!r}", f"known here: {', '.join(words)}")
        return value

    def _check_needed(self, node: Node, key: str, texts: Mapping[str, Value | None]) -> None:
        action = texts.get("event_action")
        actions = set(fixed_words(action)) if action and is_fixed(action) else set()
        for name, mend in NEEDED.items():
            if name not in texts and (not actions or actions - ACTIONS_WITHOUT.get(name, set())):
                self.fault(node, join(key, name), "is missing", mend)

    def _details(self, node: Node | None, key: str, roots: Roots) -> Value | dict[str, Value]:
        if node is None:
            return {}
        if isinstance(node.value, str):
            return self.value(node, key, roots) or {}
        mend = 'write names with values, or one text such as "{labels}" to take over a whole part of the document'
        names = tuple(node.value) if isinstance(node.value, dict) else ()
        given = self.members(node, key, names, mend)
        values = {name: self.value(below, join(key, name), roots) for name, below in given.items()}
        return {name: value for name, value in values.items() if value is not None}

    def _list(self, node: Node | None, key: str, known: tuple[str, ...], roots: Roots) -> Iterator[dict[str, Value]]:
        mend = f"write a list of entries with {known[0]}"
        for entry, at in self.entries(node, key, mend) if node else []:
            given = self.members(entry, at, known, mend)
            if known[0] not in given:
                self.fault(entry, join(at, known[0]), "is missing", mend)
            values = {name: self.value(below, join(at, name), roots) for name, below in given.items()}
            yield {name: value for name, value in values.items() if value is not None}


def fixed_words(value: Value) -> Iterator[str]:
    """The words a value can be that stand in the mapping itself, not in a document."""
    if value.table is not None:
        yield from value.table.values()
    elif value.pieces and not any(isinstance(piece, Hole) for piece in value.pieces):
        yield "".join(str(piece) for piece in value.pieces)
    for part in () if value.table is not None else value.first:
        yield from fixed_words(part)
    if value.default is not None:
        yield from fixed_words(value.default)


def is_fixed(value: Value) -> bool:
    """Whether `fixed_words` are all that a value can be."""
    if value.default is not None and not is_fixed(value.default):
        return False
    if value.table is not None:
        return True
    return (
        not value.hash and all(map(is_fixed, value.first)) and not any(isinstance(each, Hole) for each in value.pieces)
    )
