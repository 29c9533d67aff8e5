"""What happened to incidents while no webhook came: the subscription was disabled, or nobody was here to take them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from tasks.utils.clock import Clock
from tasks.utils.error_handler import PermanentError, TransientError
from tasks.utils.rest.errors import RefusedError
from tasks.webhooks.events import milliseconds_of
from tasks.webhooks.models import CatchUpReport, IncidentStatus, Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tasks.webhooks.answers import Answers

STATUS_OF: Final[dict[str, IncidentStatus]] = {
    "trigger_log_entry": "triggered",
    "acknowledge_log_entry": "acknowledged",
    "unacknowledge_log_entry": "triggered",
    "reopen_log_entry": "triggered",
    "resolve_log_entry": "resolved",
}
INCLUDED: Final = ("incidents", "channels")
OVERLAP: Final = timedelta(minutes=2)  # PagerDuty shows entries late, and clocks differ
FIRST_LOOK: Final = timedelta(hours=1)
LONGEST_LOOK: Final = timedelta(hours=48)  # what is older concerns alerts that are forgotten
WIDEST: Final = timedelta(hours=1)
NARROWEST: Final = timedelta(seconds=5)
PAGE: Final = 200  # observations in one round trip

log = structlog.get_logger("tocsin.webhooks")


class CatchUp:
    """Reads PagerDuty's log from where it was read last. Safe to run twice, or at once in two places."""

    def __init__(self, client: Any, keys: Keys, answers: Answers, rest: Callable[[], RestClient | None]) -> None:
        self._client = client
        self._key = keys.catch_up
        self._clock = Clock(client, keys)
        self._answers = answers
        self._rest = rest

    def run(self, since_seconds: float | None = None) -> CatchUpReport:
        """Read what happened since the last run, or for so long back; what could not be read now is read by the next run."""
        rest = self._rest()
        now = self._clock.now()
        if rest is None:
            return CatchUpReport(missing="pagerduty.api_key is not set; without one nothing can be fetched")
        since = self._since(now) if since_seconds is None else now - timedelta(seconds=since_seconds)
        report = CatchUpReport(since=since, until=since)
        try:
            for until in self._read(rest, since, now, report):
                report.until = until
                if since_seconds is None:
                    self._client.hset(self._key, "until", str(until.timestamp()))
        except TransientError as error:
            report.missing = f"PagerDuty does not answer now ({error}); the next run goes on from there"
            log.info(
                "catch_up_waits", error=type(error).__name__, until=report.until.isoformat() if report.until else ""
            )
        return report

    def _since(self, now: datetime) -> datetime:
        known = self._client.hget(self._key, "until")
        if known is None:
            return now - FIRST_LOOK
        return max(datetime.fromtimestamp(float(known), UTC) - OVERLAP, now - LONGEST_LOOK)

    def _read(self, rest: RestClient, since: datetime, until: datetime, report: CatchUpReport) -> Iterator[datetime]:
        """Take in all entries of a span, in pieces that PagerDuty lists whole; yields how far it has come."""
        width = WIDEST
        while since < until:
            end = min(since + width, until)
            try:
                entries = list(rest.log_entries.list(since=since, until=end, include=INCLUDED))
            except RefusedError:
                raise
            except PermanentError:  # more entries than it lists
                if width <= NARROWEST:
                    raise
                width /= 4
                continue
            self._take_in(entries, report)
            yield end
            since = end

    def _take_in(self, entries: list[dict[str, Any]], report: CatchUpReport) -> None:
        observations = [one for entry in reversed(entries) if (one := _observation(entry)) is not None]
        for start in range(0, len(observations), PAGE):
            for observed in self._answers.observe_many(observations[start : start + PAGE]):
                report.changes += len(observed.changes)
        report.entries += len(entries)


def _observation(entry: Mapping[str, Any]) -> Observation | None:
    """What an entry says of its incident; None where it is no change of status."""
    status = STATUS_OF.get(str(entry.get("type", "")).removesuffix("_reference"))
    incident = entry.get("incident") or {}
    if status is None or not incident.get("id"):
        return None
    key = (entry.get("channel") or {}).get("incident_key") or incident.get("incident_key")
    at = milliseconds_of(datetime.fromisoformat(entry["created_at"]))
    opened = incident.get("created_at")
    return Observation(
        incident_id=incident["id"],
        keys=(key,) if isinstance(key, str) and key else (),
        status=status,
        at=at,
        number=incident.get("incident_number") or 0,
        opened_at=milliseconds_of(datetime.fromisoformat(opened)) if opened else 0,
        html_url=incident.get("html_url") or "",
        who="" if status == "triggered" else str((entry.get("agent") or {}).get("summary") or "")[:200],
        service_id=((incident.get("service") or entry.get("service")) or {}).get("id") or "",
        source="scan",
    )
