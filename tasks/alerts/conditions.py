"""What a route asks of labels, in the form that an index can use; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.matchers import Matcher
    from config.routing import Route

_LITERALS: Final = re.compile(r"[\w/:@ ,%#&;|-]*", re.ASCII)  # an expression of these is a choice of plain words


class Condition(NamedTuple):
    """One condition on one label: one of `values`, or where they are None, what `matcher` says."""

    text: str
    label: str
    values: frozenset[str] | None
    matcher: Matcher | None = None

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels fulfil it; a label that is not there counts as empty."""
        if self.values is not None:
            return labels.get(self.label, "") in self.values
        return self.matcher is not None and self.matcher.matches(labels)

    @property
    def pattern(self) -> str | None:
        """The regular expression that must fit the whole label, if that is what it asks."""
        return self.matcher.value if self.values is None and self.matcher and self.matcher.op == "=~" else None


def conditions_of(route: Route) -> tuple[Condition, ...]:
    """What a route itself asks of labels, in the order it is written."""
    severity = f"severity: {', '.join(route.severity)}"
    wanted = (Condition(severity, "severity", frozenset(route.severity)),) if route.severity else ()
    return (*(_condition(matcher) for matcher in route.match), *wanted)


def _condition(matcher: Matcher) -> Condition:
    if matcher.op == "=":
        return Condition(str(matcher), matcher.name, frozenset([matcher.value]))
    if matcher.op == "=~" and _LITERALS.fullmatch(matcher.value):
        return Condition(str(matcher), matcher.name, frozenset(matcher.value.split("|")))
    return Condition(str(matcher), matcher.name, None, matcher)
