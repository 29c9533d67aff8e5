"""Finds the routes worth a look among many siblings without trying each one."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

import re2

from config.matchers import MOST_MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.alerts.conditions import Condition

FEW: Final = 4  # siblings that may share a value before a regular expression tells them apart better
CANARY: Final = "canary in a coal mine"


class Index:
    """Siblings by one condition each: by a value a label must have, else by an expression it must fit.

    `left[i]` is what remains to be asked of sibling `i` once it is a candidate.
    """

    def __init__(self, siblings: Sequence[Sequence[Condition]]) -> None:
        shared = Counter(key for conditions in siblings for one in conditions for key in _keys(one))
        chosen = [_best(conditions, shared) for conditions in siblings]
        self.left = [
            tuple(c for c in conditions if c is not best) for conditions, best in zip(siblings, chosen, strict=True)
        ]
        self._rest = [i for i, best in enumerate(chosen) if best is None]
        by_value: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        by_pattern: dict[str, dict[int, Condition]] = defaultdict(dict)
        for i, best in enumerate(chosen):
            if best and best.pattern is not None:
                by_pattern[best.label][i] = best
            elif best:
                for value in best.values or ():
                    by_value[best.label][value].append(i)
        self._by_value = {label: dict(found) for label, found in by_value.items()}
        self._by_pattern = {label: Patterns(found) for label, found in by_pattern.items()}

    def candidates(self, labels: Mapping[str, str]) -> list[int]:
        """The siblings that may fit, in order."""
        found = list(self._rest)
        for label, by_value in self._by_value.items():
            found += by_value.get(labels.get(label, ""), ())
        for label, patterns in self._by_pattern.items():
            found += patterns.fitting(labels[label]) if label in labels else patterns.fit_nothing
        found.sort()
        return found


class Patterns:
    """Expressions on one label: RE2 looks for the words they cannot do without, all in one pass, and tries those whose words are there."""

    def __init__(self, conditions: Mapping[int, Condition], memory: int = MOST_MEMORY) -> None:
        self._conditions = conditions
        self._options = _options(memory)
        self._groups: list[tuple[list[int], Any]] = []
        self._alone: list[int] = []
        self._group(list(conditions))
        self.fit_nothing = self.fitting("")

    def fitting(self, value: str) -> list[int]:
        """The numbers of those that fit the whole value."""
        found = [i for i in self._alone if self._conditions[i].holds({self._conditions[i].label: value})]
        for numbers, group in self._groups:
            found += [numbers[i] for i in group.Match(value) or () if i < len(numbers)]
        return found

    def _group(self, numbers: Sequence[int]) -> None:
        """Put them into one filter, or where their words do not fit into one, into several; what cannot be put anywhere is tried alone."""
        together = re2.Filter()
        kept = [i for i in numbers if self._is_added(i, together)]
        self._alone += set(numbers).difference(kept)
        if _is_ready(together):
            self._groups.append((kept, together))
        elif len(kept) > 1:
            middle = len(kept) // 2
            self._group(kept[:middle])
            self._group(kept[middle:])
        else:
            self._alone += kept

    def _is_added(self, number: int, together: Any) -> bool:
        try:
            together.Add(rf"\A(?:{self._conditions[number].pattern})\z", self._options)
        except re2.error:
            return False
        return True


def _is_ready(together: Any) -> bool:
    """Compile the filter; a last expression shows that it works: one that ran out of memory finds nothing and does not say so."""
    try:
        last = together.Add(rf"\A{CANARY}\z")
        together.Compile()
    except re2.error:
        return False
    return last in (together.Match(CANARY) or ())


def _options(memory: int) -> Any:
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = memory
    return options


def _keys(condition: Condition) -> list[tuple[str, str, str]]:
    """What siblings may have in common with it."""
    if condition.pattern is not None:
        return [(condition.label, "=~", condition.pattern)]
    return [(condition.label, "=", value) for value in condition.values or ()]


def _best(conditions: Sequence[Condition], shared: Mapping[tuple[str, str, str], int]) -> Condition | None:
    """The condition that fewest siblings share, a value rather than an expression; None where nothing can be looked up."""
    ranked = []
    for number, condition in enumerate(conditions):
        if keys := _keys(condition):
            crowd = sum(shared[key] for key in keys)
            is_plain = condition.values is not None
            ranked.append((crowd if crowd > FEW or not is_plain else 0, number, condition))
    return min(ranked)[-1] if ranked else None
