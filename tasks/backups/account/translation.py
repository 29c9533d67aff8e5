"""Documents of one account in the words of another: every id they name, replaced."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account.canonical import SUFFIX, is_reference
from tasks.backups.account.kinds import BY_NAME, KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
GUESSED: Final = ("inputs", "inline_steps_inputs")
"""Where a text that is the id of anything is taken for that."""
DISPENSABLE: Final = ("license", "team", "oauth_client", "parent")
"""What a document may go without."""


@dataclass
class Translator:
    """Knows what became of the objects of one account in another. `known`: those there are to name."""

    known: frozenset[Name]
    pairs: dict[Name, str] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Shelf, pairs: Mapping[Name, str] | None = None) -> Translator:
        """For documents that name these."""
        return cls(frozenset((kind.name, one) for kind in KINDS for one in items.ids(kind.name)), dict(pairs or {}))

    def translate(self, document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The document with the ids of the other account, and what it names that is not there."""
        unknown: list[str] = []
        told = {name: self._value(name, value, unknown) for name, value in document.items()}
        for name in DISPENSABLE:
            if is_reference(document.get(name)) and told[name] is None:
                unknown.remove(_words(document[name]))
        return told, unknown

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
        kinds = NOUNS.get(value["type"].removesuffix(SUFFIX))
        if kinds is None:
            return dict(value)
        for kind in kinds:
            if (kind, value["id"]) in self.pairs:
                return {"id": self.pairs[kind, value["id"]], "type": value["type"]}
        unknown.append(_words(value))
        return None

    def _text(self, name: str, value: str, unknown: list[str], *, guessing: bool) -> str:
        named = [(kind, value) for kind in _kinds_of(name, guessing=guessing) if (kind, value) in self.known]
        if len(named) != 1:
            return value
        if named[0] not in self.pairs:
            unknown.append(f"{BY_NAME[named[0][0]].noun} {value}")
        return self.pairs.get(named[0], value)


def _names(name: str, value: Any, *, guessing: bool = False) -> Iterator[tuple[Iterable[str], str]]:
    """Every id in there, with the kinds that it may be of."""
    guessing = guessing or name in GUESSED
    if is_reference(value):
        yield NOUNS.get(value["type"].removesuffix(SUFFIX), ()), value["id"]
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
