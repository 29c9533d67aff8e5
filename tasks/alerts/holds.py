"""What may hold an alert back: silences, maintenance windows, inhibition. Pure: the server decides at the moment it accepts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from config.matchers import Matcher, all_match

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tasks.alerts.models import Silence


@dataclass(frozen=True)
class Inhibition:
    """While an alert that matches `source` is open, others with the same `equal` labels that match `target` are held back."""

    name: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]

    def hold(self, labels: Mapping[str, str]) -> str:
        """The name of the hold for these labels."""
        same = "\0".join(labels.get(name, "") for name in self.equal)
        return f"inhibition:{self.name}:{hashlib.sha256(same.encode()).hexdigest()[:16]}"


class Rule(NamedTuple):
    """A rule that matches an alert. With times (ms) it is in force from then till then; without, while its hold is fed."""

    name: str
    hold: str
    begins: int | None = None
    ends: int | None = None

    def told(self) -> list[str | int]:
        """The rule as the script takes it."""
        return [part for part in self if part is not None]


class RuleBook:
    """Every rule there is, as of one version of the silences."""

    def __init__(self, version: str, silences: Sequence[Silence], inhibitions: Sequence[Inhibition]) -> None:
        self.version = version
        self._silences = [_Window(silence) for silence in silences]
        self._inhibitions = inhibitions

    def rules_for(self, labels: Mapping[str, str]) -> list[Rule]:
        """The rules that match, the first one in force holds the alert back: maintenance, silences, inhibition."""
        windows = [window.rule for window in self._silences if window.matches(labels)]
        windows.sort(key=lambda rule: rule.name)  # maintenance before silence
        return [*windows, *self._inhibited(labels)]

    def fed_by(self, labels: Mapping[str, str]) -> list[str]:
        """The holds that an open alert with these labels feeds: it inhibits others."""
        return [rule.hold(labels) for rule in self._inhibitions if all_match(rule.source, labels)]

    def _inhibited(self, labels: Mapping[str, str]) -> Iterator[Rule]:
        for rule in self._inhibitions:
            if all_match(rule.target, labels):
                yield Rule(f"inhibition:{rule.name}", rule.hold(labels))


class SilenceMatch:
    """The conditions of a silence: all its matchers, and one of its services if it names any."""

    def __init__(self, matchers: Sequence[str], services: Sequence[str]) -> None:
        self._matchers = tuple(Matcher.parse(text) for text in matchers)
        self._services = frozenset(services)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is meant."""
        return (not self._services or labels.get("service") in self._services) and all_match(self._matchers, labels)


class _Window:
    """A silence ready to be asked."""

    def __init__(self, silence: Silence) -> None:
        self.matches = SilenceMatch(silence.matchers, silence.services).matches
        name = hold_name(silence)
        begins, ends = (round(time.timestamp() * 1000) for time in (silence.starts_at, silence.ends_at))
        self.rule = Rule(name, name, begins, ends)


def hold_name(silence: Silence) -> str:
    """What the ledger calls a silence: `silence:<id>` or `maintenance:<id>`."""
    return f"{silence.kind}:{silence.id}"
