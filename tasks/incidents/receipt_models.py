"""What is said of receipts: whether PagerDuty shows incidents of the alerts it took."""

from __future__ import annotations

import json
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, Field

Verdict = Literal["seen", "again", "unverified", "missed"]
SOON: Final = 3  # times `look_after` by which news that keeps coming may put off the last look


class Waiting(NamedTuple):
    """A trigger PagerDuty took and shows no incident of yet.

    `begun` and `newest` are when its first and its newest trigger began to be sent, `sent` and `last` when they were taken,
    `till` when an incident should be there (ms).
    """

    field: str
    wire: str
    begun: int
    newest: int
    sent: int
    last: int
    till: int
    looks: int

    @property
    def key_id(self) -> str:
        """The key it was sent with."""
        return self.field.partition(" ")[0]

    def is_ripe(self, at: int, look_after: int) -> bool:
        """Whether its incident should be there at that moment (ms), also that of the newest trigger."""
        return at >= min(max(self.till, self.last + look_after), self.till + SOON * look_after)


class Settled(NamedTuple):
    """What a look has shown of one."""

    row: Waiting
    verdict: Verdict
    reason: str = ""


def waiting(flat: list[Any]) -> list[Waiting]:
    """Rows as lua/receipts_claim.lua hands them out."""
    found = []
    for field, wire, begun, newest, text in zip(*[iter(flat)] * 5, strict=True):
        row = json.loads(text)
        found.append(Waiting(field, wire, int(begun), int(newest), row["sent"], row["last"], row["till"], row["looks"]))
    return found


class ReceiptReport(BaseModel):
    """What one run of `incidents.verify` did."""

    rows: int = Field(0, description="Alerts PagerDuty was looked at for.")
    seen: int = Field(0, description="Of those, it shows an incident, or is in maintenance.")
    again: int = Field(0, description="Of those, it will be looked at again for.")
    unverified: int = Field(0, description="Of those, nobody can tell.")
    missed: int = Field(0, description="Of those, it took them and shows nothing: they are said again elsewhere.")
    ended: int = Field(0, description="Of those, resolved meanwhile.")
    calls: int = Field(0, description="Calls of the REST API.")
    is_held_up: bool = Field(default=False, description="Whether the share of calls was used up.")
    trouble: str = Field("", description="Why PagerDuty could not be looked at, by the name of the error.")


class ReceiptFigures(BaseModel):
    """What became of the alerts PagerDuty took, over some hours."""

    hours: int
    seen: int = 0
    unverified: int = 0
    missed: int = 0
    ended: int = Field(0, description="Resolved before PagerDuty was seen to have an incident.")
    waiting: int = Field(0, description="Taken by PagerDuty and not seen there yet, now.")
    p50_seconds: float | None = Field(None, description="Half of those seen were an incident within so many seconds.")
    p90_seconds: float | None = Field(None, description="Nine tenths of those seen.")
    p99_seconds: float | None = Field(
        None, description="99 of a hundred of those seen; null where it took more than an hour."
    )
