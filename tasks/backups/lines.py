"""How backups stand, as lines of `tocsin health`: told by what the last runs have found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tasks.backups.models import CreateReport, DrillReport, VerifyReport
from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from datetime import timedelta

    from tasks.backups.standing import BackupStanding

MAKE: Final = "`tocsin backups create`; see `tocsin schedules list` for why the daily one did not run"
CHECK: Final = "`tocsin backups verify` names what is damaged; keep the folder as it is, and make a new one: `tocsin backups create`"
DRILL: Final = "`tocsin backups drill` rehearses a restore and says what is missing"


def backup_lines(
    standing: BackupStanding, max_age: timedelta, max_unverified: timedelta, now: datetime, began: datetime
) -> list[Line]:
    """The newest backup, whether the backups are whole, whether restoring one was rehearsed. `began`: when there was first anything."""
    return [
        _created(standing.read("created"), max_age, now, began),
        _verified(standing.read("verified")),
        _drilled(standing.read("drilled"), max_unverified, now, began),
    ]


def _created(kept: str | None, max_age: timedelta, now: datetime, began: datetime) -> Line:
    limit = f"{_hours(max_age)} old"
    if kept is None:
        return _none("backups.age", "none was made yet", limit, MAKE, is_due=now - began > max_age)
    made = CreateReport.model_validate_json(kept)
    age = now - made.backup.created
    mend = MAKE if age > max_age else "; ".join(made.warnings)
    return Line("backups.age", "warn" if mend else "ok", f"{made.backup.id}, {_hours(age)} old", limit, mend)


def _verified(kept: str | None) -> Line:
    if kept is None:
        return Line("backups.whole", "skip", "not verified yet")
    found = VerifyReport.model_validate_json(kept)
    if found.holds:
        return Line("backups.whole", "ok", f"{found.backups} backups as they were written", "no damage")
    value = f"{len(found.faults)} faults, such as: {found.faults[0].what}; {_good(found.last_good)}"
    return Line("backups.whole", "fail", value, "no damage", CHECK)


def _drilled(kept: str | None, max_unverified: timedelta, now: datetime, began: datetime) -> Line:
    limit = f"within {_hours(max_unverified)}, without a fault"
    if kept is None:
        return _none("backups.drill", "never rehearsed yet", limit, DRILL, is_due=now - began > max_unverified)
    found = DrillReport.model_validate_json(kept)
    value = f"{_hours(now - found.at)} ago, restored in {found.rto_seconds:.0f} s"
    if not found.ok:
        fault = found.faults[0] if found.faults else "it did not come to its end"
        value = f"{_hours(now - found.at)} ago: {fault}; {_good(found.last_good)}"
        return Line("backups.drill", "fail", value, limit, DRILL)
    is_old = now - found.at > max_unverified
    return Line("backups.drill", "warn" if is_old else "ok", value, limit, DRILL if is_old else "")


def _none(name: str, value: str, limit: str, mend: str, *, is_due: bool) -> Line:
    """Where there is none: amiss only once there should be one."""
    return Line(name, "warn" if is_due else "skip", value, limit, mend if is_due else "")


def _good(last_good: str) -> str:
    return f"the last good backup is {last_good[:8]}" if last_good else "no backup is good"


def _hours(span: timedelta) -> str:
    hours = max(0.0, span.total_seconds() / 3600)
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"


def moment(ms: int) -> datetime:
    """A time of the fleet's clock."""
    return datetime.fromtimestamp(ms / 1000, UTC)
