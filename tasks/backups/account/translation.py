"""Documents of one account in the words of another: every id they name, replaced."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account.canonical import SUFFIX, is_reference
from tasks.backups.account.kinds import BY_NAME, KINDS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from tasks.backups.account.shelf import Name, Shelf

NOUNS: Final = {
    "user": ("users",),
    "team": ("teams",),
    "schedule": ("schedules", "v3_schedules"),
    "schedule_v3": ("v3_schedules", "schedules"),
    "rotation": ("v3_rotations",),
    "escalation_policy": ("escalation_policies",),
    "service": ("services",),
    "business_service": ("business_services",),
    "event_orchestration": ("event_orchestrations",),
    "workflow": ("incident_workflows",),
    "incident_type": ("incident_types",),
    "license": ("licenses",),
    **{
        f"{name}_contact_method": ("contact_methods",)
        for name in ("email", "phone", "sms", "whatsapp", "push_notification")
    },
}
"""What the types of references stand for. Others are PagerDuty's own and the same in all accounts."""
NAMING: Final = {
    "user_id": "users",
    "team_id": "teams",
    "service_id": "services",
    "route_to": "services",
    "priority": "priorities",
    "escalation_policy": "escalation_policies",
    "rotation_id": "v3_rotations",
    "custom_shift_id": "v3_custom_shifts",
    "parent_type": "incident_types",
}
"""Fields whose text is an id of that kind."""
ID: Final = re.compile(r"[A-Z][A-Z0-9]{6,13}")
"""What an id looks like; in those fields may stand the name of a set of rules, too."""
GUESSED: Final = ("inputs", "inline_steps_inputs")
"""Where a text that is the id of anything is taken for that."""
DISPENSABLE: Final = ("license", "team", "teams", "oauth_client", "parent")
"""What a document may go without."""


@dataclass
class Translator:
    """Knows what became of the objects of one account in another. `known`: those there are to name."""

    known: frozenset[Name]
    pairs: dict[Name, str] = field(default_factory=dict)
    is_same: bool = False
    """Whether the other account is this one: what the backup does not hold then goes by the id it has."""

    @classmethod
    def of(cls, items: Shelf, pairs: Mapping[Name, str] | None = None, *, is_same: bool = False) -> Translator:
        """For documents that name these."""
        known = frozenset((kind.name, one) for kind in KINDS for one in items.ids(kind.name))
        return cls(known, dict(pairs or {}), is_same)

    def translate(self, document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The document with the ids of the other account, and what it names that is not there."""
        unknown: list[str] = []
        told = {name: self._value(name, value, unknown) for name, value in document.items()}
        for name in DISPENSABLE:
            for one in _references(document.get(name)):
                if self._reference(one, []) is None:
                    unknown.remove(_words(one))
            if isinstance(told.get(name), list):
                told[name] = [one for one in told[name] if one is not None]
        return told, unknown

    def absent(self, document: Mapping[str, Any]) -> list[str]:
        """What it names and cannot go without, although neither the backup nor the other account is known to have it."""
        kept = {name: value for name, value in document.items() if name not in DISPENSABLE}
        texts = () if self.is_same else _named_texts("", kept)
        told = {f"{BY_NAME[kind].noun} {text}" for kind, text in texts if (kind, text) not in self.known}
        return sorted({_words(one) for one in _references(kept) if self._is_absent(one)} | told)

    def spared(self, document: Mapping[str, Any]) -> list[str]:
        """The same of what it goes without."""
        kept = [document[name] for name in DISPENSABLE if name in document]
        return sorted({_words(one) for one in _references(kept) if self._is_absent(one)})

    def filled_later(self, document: Mapping[str, Any], lost: Container[Name]) -> list[str]:
        """The fields it goes without only until what they name is made again."""
        return [
            name
            for name in DISPENSABLE
            for one in _references(document.get(name))
            if any((kind, one["id"]) in self.known and (kind, one["id"]) not in lost for kind in _kinds_in(one))
            and self._reference(one, []) is None
        ]

    def _is_absent(self, reference: Mapping[str, str]) -> bool:
        in_backup = any((kind, reference["id"]) in self.known for kind in _kinds_in(reference))
        return not in_backup and self._reference(reference, []) is None

    def named(self, document: Mapping[str, Any]) -> set[Name]:
        """What it names and cannot go without, of what there is to name."""
        kept = {name: value for name, value in document.items() if name not in DISPENSABLE}
        return {
            (kind, item_id) for kinds, item_id in _names("", kept) for kind in kinds if (kind, item_id) in self.known
        }

    def _value(self, name: str, value: Any, unknown: list[str], *, guessing: bool = False) -> Any:
        guessing = guessing or name in GUESSED
        if is_reference(value):
            return self._reference(value, unknown)
        if isinstance(value, dict):
            return {key: self._value(key, one, unknown, guessing=guessing) for key, one in value.items()}
        if isinstance(value, list):
            return [self._value(name, one, unknown, guessing=guessing) for one in value]
        if isinstance(value, str):
            return self._text(name, value, unknown, guessing=guessing)
        return value

    def _reference(self, value: Mapping[str, str], unknown: list[str]) -> dict[str, str] | None:
        kinds = _kinds_in(value)
        if not kinds:
            return dict(value)
        for kind in kinds:
            if (kind, value["id"]) in self.pairs:
                return {"id": self.pairs[kind, value["id"]], "type": value["type"]}
        if self.is_same and not any((kind, value["id"]) in self.known for kind in kinds):
            return dict(value)
        unknown.append(_words(value))
        return None

    def _text(self, name: str, value: str, unknown: list[str], *, guessing: bool) -> str:
        named = [(kind, value) for kind in _kinds_of(name, guessing=guessing) if (kind, value) in self.known]
        if len(named) != 1:
            return value
        if named[0] not in self.pairs:
            unknown.append(f"{BY_NAME[named[0][0]].noun} {value}")
        return self.pairs.get(named[0], value)


def _references(value: Any) -> Iterator[Mapping[str, str]]:
    """Every reference in there."""
    if is_reference(value):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _references(one)


def _named_texts(name: str, value: Any) -> Iterator[Name]:
    """Every id in there that is a text of its own, with its kind."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _named_texts(key, one)
    elif isinstance(value, list):
        for one in value:
            yield from _named_texts(name, one)
    elif isinstance(value, str) and name in NAMING and ID.fullmatch(value):
        yield NAMING[name], value


def _kinds_in(reference: Mapping[str, str]) -> Iterable[str]:
    """The kinds that it may be of."""
    return NOUNS.get(reference["type"].removesuffix(SUFFIX), ())


def _names(name: str, value: Any, *, guessing: bool = False) -> Iterator[tuple[Iterable[str], str]]:
    """Every id in there, with the kinds that it may be of."""
    guessing = guessing or name in GUESSED
    if is_reference(value):
        yield _kinds_in(value), value["id"]
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _names(key, one, guessing=guessing)
    elif isinstance(value, list):
        for one in value:
            yield from _names(name, one, guessing=guessing)
    elif isinstance(value, str):
        yield _kinds_of(name, guessing=guessing), value


def _kinds_of(name: str, *, guessing: bool) -> Iterable[str]:
    """What a text in this field may be the id of."""
    return (NAMING[name],) if name in NAMING else BY_NAME if guessing else ()


def _words(reference: Mapping[str, str]) -> str:
    return f"{reference['type'].removesuffix(SUFFIX).replace('_', ' ')} {reference['id']}"
