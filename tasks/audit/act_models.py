"""Acts as they are read: one for each act, however many entries tell of it."""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, Field

from tasks.audit.judge import as_datetime
from tasks.audit.models import SealReport, VerifyReport  # noqa: TC001
from tasks.utils.acts import BEGUN, begun_at
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.audit.models import Broken
    from tasks.utils.ledger import Entry

Shown = Literal["ok", "failed", "denied", "begun"]
SHOWN: Final = 3


class ActView(BaseModel):
    """Who did what to which object from where, and what came of it."""

    id: str
    source: Literal["tocsin", "pagerduty"] = Field("tocsin", description="Whose record it stands in.")
    at: datetime = Field(description="When it was over; of one that is not, when it began.")
    begun_at: datetime | None = Field(None, description="When it began; None where only its end was written down.")
    action: str
    object: str = ""
    outcome: Shown = Field(description="begun: it goes on, or its process died before it could say what came of it.")
    actor_kind: str = Field(
        description="person, service, token, schedule, task, stranger; in PagerDuty's record its own words."
    )
    actor: str
    origin: str = Field("", description="Host and terminal, address, or worker.")
    correlation: str = Field("", description="The same for everything that follows from one request.")
    detail: dict[str, Any] = Field(default_factory=dict, description="Names of fields, ids and counts; never contents.")


class RecordsReport(BaseModel):
    """What one sealing of the records did."""

    acts: SealReport
    pagerduty: SealReport
    trimmed: int = Field(0, description="Entries that left Redis; the archive has them.")


class VerifiedRecords(BaseModel):
    """Whether each record is what was written."""

    holds: bool
    ledger: VerifyReport
    acts: VerifyReport
    pagerduty: VerifyReport


class TamperedError(PermanentError):
    """A record is not as it was written; the text names the first places."""


def demand(report: VerifiedRecords) -> VerifiedRecords:
    """The same report; TamperedError where a record was touched."""
    if report.holds:
        return report
    broken = [f"{name}: {one.wrong}" for name, one in _broken(report)]
    more = f" … and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
    mend = "`tocsin audit verify` names all; docs/audit.md says what then"
    raise TamperedError(f"a record is not as it was written: {'; '.join(broken[:SHOWN])}{more}; {mend}")


def _broken(report: VerifiedRecords) -> Iterator[tuple[str, Broken]]:
    for name in ("ledger", "acts", "pagerduty"):
        yield from ((name, one) for one in getattr(report, name).broken)


def view_of(entry: Entry) -> ActView:
    """An entry of Tocsin's record of acts as an act."""
    rest = json.loads(entry.detail or "{}")
    began = begun_at(entry.event)
    return ActView(
        id=entry.event,
        at=as_datetime(entry.at),
        begun_at=as_datetime(began) if began else None,
        action=entry.reason,
        object=rest.get("o", ""),
        outcome=entry.step,
        actor_kind=rest.get("k", ""),
        actor=rest.get("n", ""),
        origin=rest.get("f", ""),
        correlation=rest.get("c", ""),
        detail=rest.get("d", {}),
    )


def is_begun(entry: Entry) -> bool:
    """Whether an entry says only that an act begins."""
    return entry.step == BEGUN
