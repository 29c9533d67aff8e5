"""How backups stand in `tocsin health`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.backups.lines import backup_lines
from tasks.backups.models import BackupView, CreateReport, DrillReport, Fault, VerifyReport

if TYPE_CHECKING:
    from tasks.utils.health_monitor import Line

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
VERIFIED = {"data_read": True, "at": NOW, "backups": 3, "objects": 1, "packs": 1, "bytes": 1, "took_seconds": 1.0}


class Standing:
    """What the last runs found."""

    def __init__(self, **reports: Any) -> None:
        self._kept = {verb: report.model_dump_json() for verb, report in reports.items()}

    def read(self, verb: str) -> str | None:
        return self._kept.get(verb)


def lines(began: datetime = NOW - 1000 * HOUR, **reports: Any) -> dict[str, Line]:
    found = backup_lines(Standing(**reports), 26 * HOUR, 192 * HOUR, NOW, began)  # type: ignore[arg-type]
    return {line.name: line for line in found}


def made(ago: timedelta, *warnings: str) -> CreateReport:
    return CreateReport(
        backup=BackupView(id="b1", created=NOW - ago, is_encrypted=True), ratio=1.0, warnings=list(warnings)
    )


@pytest.mark.parametrize(("ago", "state"), [(25 * HOUR, "ok"), (27 * HOUR, "warn")])
def test_the_newest_backup_may_not_be_too_old(ago: timedelta, state: str) -> None:
    found = lines(created=made(ago))["backups.age"]

    assert found.state == state
    assert ("tocsin backups create" in found.mend) == (state == "warn")


def test_a_backup_that_lacks_something_says_so() -> None:
    found = lines(created=made(HOUR, "the account is not in it"))["backups.age"]

    assert (found.state, found.mend) == ("warn", "the account is not in it")


def test_where_none_was_made_that_is_amiss_only_once_one_was_due() -> None:
    assert lines()["backups.age"].state == "warn"
    assert lines(began=NOW - HOUR)["backups.age"].state == "skip"


def test_damage_and_a_failed_rehearsal_fail() -> None:
    damaged = VerifyReport(holds=False, faults=[Fault(what="pack p1 is cut short")], **VERIFIED)
    failed = DrillReport(
        ok=False, at=NOW - HOUR, backup="b1", rpo_seconds=1, rto_seconds=1, faults=["3 items are missing"]
    )
    found = lines(verified=damaged, drilled=failed)

    assert (found["backups.whole"].state, found["backups.drill"].state) == ("fail", "fail")
    assert "pack p1 is cut short" in found["backups.whole"].value
    assert "3 items are missing" in found["backups.drill"].value


@pytest.mark.parametrize(("ago", "state"), [(HOUR, "ok"), (200 * HOUR, "warn")])
def test_a_restore_is_to_be_rehearsed_now_and_then(ago: timedelta, state: str) -> None:
    drilled = DrillReport(ok=True, at=NOW - ago, backup="b1", rpo_seconds=1, rto_seconds=7)

    assert lines(drilled=drilled)["backups.drill"].state == state
