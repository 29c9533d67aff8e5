"""How long something has been amiss, and whether people know; pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Literal

from tasks.health.models import Finding

Verb = Literal["", "trigger", "resolve"]


@dataclass(frozen=True)
class Patience:
    """How long something must be amiss before it is told, and well again before that is; in milliseconds.

    `gap` is the longest time between two looks that still belong together, `again_after` the least between two tries to tell.
    """

    raise_after: int
    resolve_after: int
    gap: int
    again_after: int = 30_000


@dataclass(frozen=True)
class Standing:
    """One finding as it stands. Times are in milliseconds by the clock of whoever keeps it; `since` it is as it is without a break.

    `places` (`<channel>|<key id>`) may hold it open: those that were told without the inbox. `tried`: when telling failed last.
    """

    finding: Finding
    seen: int
    since: int
    is_bad: bool
    told: int = 0
    places: tuple[str, ...] = ()
    tried: int = 0

    @property
    def may_be_open(self) -> bool:
        """Whether somebody may have been told, so that its end must be told too."""
        return bool(self.told or self.places)

    def to_json(self) -> str:
        """For keeping."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Standing:
        """What `to_json` made."""
        fields = json.loads(text)
        return cls(**{**fields, "finding": Finding(**fields["finding"]), "places": tuple(fields["places"])})


def step(
    before: Standing | None, finding: Finding | None, now: int, patience: Patience
) -> tuple[Standing | None, Verb]:
    """How it stands after one more look, and what to tell now. None: there is nothing to remember.

    Looks that lie far apart do not add up: a sentinel that was down, or a machine that slept, has not seen what was between.
    """
    if before is None:
        return _judged(Standing(finding, now, now, is_bad=True), patience) if finding else (None, "")
    goes_on = before.is_bad == (finding is not None) and 0 <= now - before.seen <= patience.gap
    since = before.since if goes_on else now
    known = before.finding if before.may_be_open or finding is None else finding
    return _judged(replace(before, finding=known, seen=now, since=since, is_bad=finding is not None), patience)


def _judged(standing: Standing, patience: Patience) -> tuple[Standing | None, Verb]:
    lasted = standing.seen - standing.since
    may_try = not standing.tried or not 0 <= standing.seen - standing.tried < patience.again_after
    if standing.is_bad:
        return standing, "trigger" if not standing.told and lasted >= patience.raise_after and may_try else ""
    if not standing.may_be_open:
        return None, ""
    return standing, "resolve" if lasted >= patience.resolve_after and may_try else ""
