"""The table of faults survived: of each kind how often, and what was seen while it lasted and shortly after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from tasks.utils.ledger import Ledger
from tests.chaos.kit.faults import WEATHER_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.chaos.kit.judge import Evidence
    from tests.chaos.kit.plan import Strike
    from tests.fleet import Fleet

AFTERMATH: Final = 10.0  # seconds
OUTSIDE: Final = "PagerDuty"
NONE: Final = "(none)"


@dataclass(frozen=True)
class Struck:
    """A strike that was carried out, by the wall's clock."""

    strike: Strike
    at: float
    until: float
    may_repeat: int = 0
    """How many duplicates it allows."""


class Retry(NamedTuple):
    """An attempt that was not the first: when, by the wall's clock, and whether the one before had an outcome."""

    at: float
    was_told: bool


@dataclass
class Row:
    """What is told of one kind."""

    times: int = 0
    seconds: float = 0.0
    retried: int = 0
    spoilt: int = 0
    duplicates: int = 0


def rows_of(struck: Sequence[Struck], retries: Iterable[Retry], evidence: Evidence) -> dict[str, Row]:
    """A row for each kind. What was seen is put down to the last fault before it that can have that effect."""
    rows: dict[str, Row] = {}
    for one in struck:
        row = rows.setdefault(one.strike.kind, Row())
        row.times += 1
        row.seconds += one.until - one.at
    outside = [one for one in struck if one.strike.kind.startswith(OUTSIDE)]
    inside = [one for one in struck if one not in outside]
    for retry in retries:
        rows.setdefault(_blamed(outside if retry.was_told else inside, retry.at) or NONE, Row()).retried += 1
    weather = [one for one in struck if one.strike.kind in WEATHER_KINDS]
    for one in evidence.log:
        if one["fault"]:
            rows.setdefault(_blamed(weather, one["at"]) or NONE, Row()).spoilt += 1
    repeating = [one for one in struck if one.may_repeat]
    for one in evidence.repeats():
        rows.setdefault(_blamed(repeating, one["at"]) or NONE, Row()).duplicates += 1
    return rows


def _blamed(struck: Sequence[Struck], at: float) -> str:
    """The kind of the last of these faults that had begun by then, unless it was long over."""
    begun = [one for one in struck if one.at <= at <= one.until + AFTERMATH]
    return max(begun, key=lambda one: one.at).strike.kind if begun else ""


def retries_of(fleet: Fleet) -> Iterator[Retry]:
    """Every attempt of an event after its first."""
    told: dict[str, bool] = {}  # event -> whether an outcome of its last attempt is known
    for page in Ledger(fleet.client, fleet.keys).read():
        for entry in page:
            if entry.step == "attempt":
                if entry.event in told:
                    yield Retry(int(entry.id.partition("-")[0]) / 1000, told[entry.event])
                told[entry.event] = False
            elif entry.event in told:
                told[entry.event] = True


def as_text(rows: dict[str, Row]) -> str:
    """The table."""
    lines = [f"{'fault':26} {'struck':>6} {'for (s)':>8} {'retried':>8} {'spoilt':>7} {'duplicates':>10}"]
    whole = Row()
    for kind, row in sorted(rows.items()):
        lines.append(_line(kind, row))
        for name in vars(whole):
            setattr(whole, name, getattr(whole, name) + getattr(row, name))
    return "\n".join([*lines, _line(f"{len(rows.keys() - {NONE})} kinds", whole)])


def _line(name: str, row: Row) -> str:
    return f"{name:26} {row.times:6} {row.seconds:8.1f} {row.retried:8} {row.spoilt:7} {row.duplicates:10}"
