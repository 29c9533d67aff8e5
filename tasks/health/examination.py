"""Looks at everything there is a check for, and keeps what was found."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tasks.health.models import HealthReport, HealthRun, LineView
from tasks.health.watching import Watching
from tasks.utils.health_monitor import run_checks, status_of
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tasks.health.models import Depth
    from tasks.utils.health_monitor import Check, Line
    from tasks.utils.keys import Keys

QUICK_SECONDS: Final = 8.0
FULL_SECONDS: Final = 28.0  # the bound is 30, and the report is to be written too


@dataclass(frozen=True)
class About:
    """Whose health it is."""

    environment: str
    host: str
    version: str


class HealthService:
    """Examines. `make_checks` gives the checks there are; they are made anew for each examination."""

    def __init__(self, client: Any, keys: Keys, about: About, make_checks: Callable[[], Sequence[Check]]) -> None:
        self._client = client
        self._keys = keys
        self._about = about
        self._make_checks = make_checks
        self._scripts = Scripts(client, keys)
        self.watched = Watching(client, keys)
        """How long the fleet was watched, and alive."""

    def examine(self, depth: Depth = "full", more: Iterable[Check] = ()) -> HealthReport:
        """How everything is, within half a minute whatever is down. `quick` asks nobody outside. `more` is looked at as well."""
        began = time.monotonic()
        checks = [check for check in self._make_checks() if depth == "full" or check.is_quick]
        lines = run_checks([*checks, *more], within=FULL_SECONDS if depth == "full" else QUICK_SECONDS)
        self._client.close()  # what was left behind ends with its connection; the next look makes new ones
        return report_of(lines, self._about, depth, time.monotonic() - began)

    def check_and_keep(self, depth: Depth = "full") -> HealthReport:
        """The same, kept for the history and for the API."""
        report = self.examine(depth)
        bad = ",".join(dict.fromkeys(line.name for line in report.checks if line.state in ("warn", "fail")))
        self._scripts.run("health_keep", depth, report.model_dump_json(), report.status, bad)
        return report

    def last(self, depth: Depth = "full") -> HealthReport | None:
        """What was found and kept last; None if nothing was yet."""
        kept = self._client.hget(self._keys.health, depth)
        return HealthReport.model_validate_json(kept) if kept else None

    def runs(self, since: datetime) -> list[HealthRun]:
        """What was found at each time since then, oldest first."""
        found = self._client.xrange(self._keys.health_runs, f"{round(since.timestamp() * 1000)}-0")
        return [
            HealthRun(
                at=datetime.fromtimestamp(int(row["t"]) / 1000, UTC),
                depth=row["k"],
                status=row["s"],
                amiss=[name for name in row["f"].split(",") if name],
            )
            for _, row in found
        ]


def report_of(lines: Sequence[Line], about: About, depth: Depth, took: float) -> HealthReport:
    """The lines as a report."""
    return HealthReport(
        status=status_of(lines),
        at=datetime.now(UTC),
        took_seconds=round(took, 2),
        depth=depth,
        **asdict(about),
        checks=[LineView(**asdict(line)) for line in lines],
    )
