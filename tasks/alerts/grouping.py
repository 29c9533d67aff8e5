"""Which alerts are told of together, and how long the later ones wait; pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from config.grouping import Grouping
from tasks.utils.rows import milliseconds, service_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.routing import Route
    from config.services import Service


MOST_FALLBACK_WAIT_MS: Final = 20_000


@dataclass(frozen=True, slots=True)
class GroupRule:
    """How the alerts of one destination are grouped.

    `by` are the labels a group has in common; none = all alerts of the destination are one group. `wait_ms` is how long news waits
    after a message, `most` how much of it goes into one, `repeat_ms` when what still fires is told again (0 = never). Alerts of
    `urgent` severities do not wait. `for_people`: the channel takes words, so that it must not hear of what it was never told.
    """

    by: tuple[str, ...]
    wait_ms: int
    most: int
    repeat_ms: int
    urgent: frozenset[str]
    for_people: bool

    @property
    def spec(self) -> str:
        """The rule as lua/lib/group.lua keeps it."""
        return f"{self.wait_ms} {self.most} {self.repeat_ms} {self.for_people:d}"

    def group(self, destination: str, labels: Mapping[str, str]) -> str:
        """The name of the group of an alert with these labels."""
        return group_name(destination, self.common(labels))

    def common(self, labels: Mapping[str, str]) -> dict[str, str]:
        """What the alerts of its group have in common."""
        return {name: labels.get(name, "") for name in self.by}

    def line(self, destination: str, labels: Mapping[str, str]) -> str:
        """The group as lua/accept.lua takes it."""
        urgent = int(labels.get("severity", "") in self.urgent)
        return f"{self.group(destination, labels)}\n{self.spec}\n{urgent}\n{json.dumps(self.common(labels))}"

    def told(self, labels: Mapping[str, str]) -> str:
        """In words: the group of an alert with these labels, and when it is told of."""
        common = ", ".join(f"{name}={value}" for name, value in self.common(labels).items())
        by = f"with alerts that have {common} in common" if common else "with all others that go there"
        urgent = ", at once as it is urgent" if labels.get("severity", "") in self.urgent else ""
        again = f", again every {_span(self.repeat_ms)} while it fires" if self.repeat_ms else ""
        wait = f"the first at once, later ones within {_span(self.wait_ms)}{urgent}"
        return f"{by}: {wait}, at most {self.most} in a message{again}"


def group_name(destination: str, common: Mapping[str, str]) -> str:
    """The name of the group of all alerts of a destination that have these labels in common."""
    same = [destination, *(f"{name}={common[name]}" for name in sorted(common))]
    return hashlib.sha256("\0".join(same).encode("utf-8", "surrogatepass")).hexdigest()[:32]


class GroupingWords:
    """What routes and services say about grouping, the nearest word first."""

    def __init__(self, services: Mapping[str, Service], defaults: Grouping | None = None) -> None:
        self._services = services
        self._defaults = defaults or Grouping()

    def rule(self, destination: str, routes: Sequence[Route] = ()) -> GroupRule | None:
        """How alerts are grouped that take these routes, the last one first; None where each goes by itself."""
        service = self._services.get(service_of(destination))
        if service is None:
            return None  # it is not configured here; whoever delivers says so
        said = (*routes, service)
        by = _nearest(said, "group_by")
        for_people = _takes_words(service, destination)
        if by is None and not for_people:
            return None
        return self._rule(by or (), said, for_people=for_people)

    def fallback(self, service: Service) -> str:
        """How lua/lib/group.lua groups alerts of a service that fall back on a channel that people read; they have waited already."""
        rule = self._rule((), (service,), for_people=True)
        return replace(rule, wait_ms=min(rule.wait_ms, MOST_FALLBACK_WAIT_MS)).spec

    def _rule(self, by: tuple[str, ...], said: Sequence[Any], *, for_people: bool) -> GroupRule:
        usual = self._defaults
        again = _nearest(said, "repeat_interval")
        if again is None:
            again = usual.repeat_interval if for_people else timedelta(0)
        return GroupRule(
            by=by,
            wait_ms=milliseconds(_or(_nearest(said, "max_wait"), usual.max_wait)),
            most=_or(_nearest(said, "max_size"), usual.max_size),
            repeat_ms=milliseconds(again),
            urgent=frozenset(usual.urgent),
            for_people=for_people,
        )


def _takes_words(service: Service, destination: str) -> bool:
    first = service.destinations[destination][0]
    return next(channel.takes_words for channel in service.channels if channel.name == first)


def _nearest(said: Sequence[Any], name: str) -> Any:
    return next((value for one in said if (value := getattr(one, name)) is not None), None)


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _span(ms: int) -> str:
    seconds = ms / 1000
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"
