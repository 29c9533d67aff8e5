"""PagerDuty's maintenance windows as silences of ours: what is raised meanwhile is held back here, and delivered when they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from tasks.alerts.models import Silence
from tasks.alerts.silences import KEPT_AFTER_END
from tasks.utils.rest.parameters import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from config.models import Settings
    from tasks.alerts.rule_store import RuleStore
    from tasks.utils.clock import Clock
    from tasks.utils.rest.client import RestClient

AUTHOR: Final = "PagerDuty"
MARK: Final = "pagerduty-"
MOST: Final = 500  # windows taken over at once; the soonest first
MOST_NAMED: Final = 50  # services named in one request; with more, all windows are looked at
SHARE: Final = 0.1  # of the calls a minute


def places_in(settings: Settings) -> dict[str, str]:
    """PagerDuty's id of each service whose windows are honoured."""
    is_on = settings.incidents.honour_maintenance and settings.pagerduty.can_be_asked
    return settings.pagerduty_services if is_on else {}


class MaintenanceReport(BaseModel):
    """What one refresh did."""

    windows: int = Field(0, description="Windows under way or to come that concern services of ours.")
    written: int = Field(0, description="Windows that are new or have changed.")
    ended: int = Field(0, description="Windows ended before their time, or taken back.")


class Maintenance:
    """Keeps them the same. `places`: PagerDuty's id of each service of ours; empty where windows are not honoured."""

    def __init__(self, rest: RestClient, store: RuleStore, clock: Clock, places: Mapping[str, str]) -> None:
        self._rest = rest
        self._store = store
        self._clock = clock
        self._places = places

    def refresh(self) -> MaintenanceReport:
        """Take over what PagerDuty has. While it does not answer, what is known stays in force, each window until its own end."""
        now = self._clock.now()
        kept = self._store.silences()
        known = {silence.id: silence for silence in kept if silence.source == "pagerduty"}
        old = [silence.id for silence in known.values() if now - silence.ends_at > KEPT_AFTER_END]
        there = {silence.id: silence for silence in self._windows(now)} if self._places else {}
        changed = [silence for silence in there.values() if _differs(known.get(silence.id), silence)]
        gone = [silence for silence in known.values() if silence.id not in there and silence.ends_at > now]
        for silence in changed:
            self._store.write(silence, forget=old)
        for silence in gone:
            over = {"ends_at": now, "starts_at": min(silence.starts_at, now), "expired_by": AUTHOR}
            self._store.write(silence.model_copy(update=over))
        return MaintenanceReport(windows=len(there), written=len(changed), ended=len(gone))

    def _windows(self, now: datetime) -> Iterator[Silence]:
        """Windows under way or to come that concern one of our services."""
        rest = self._rest.limited(share=SHARE)
        ids = sorted(set(self._places.values()))
        asked = {"service_ids": ids} if len(ids) <= MOST_NAMED else {}
        listed: list[dict[str, Any]] = []
        for kind in (
            "future",
            "ongoing",
        ):  # in this order: one that begins between the two is in both, never in neither
            listed += rest.maintenance_windows.list(filter=kind, **asked)
        listed.sort(key=lambda window: moment(window["start_time"]))
        for window in listed[:MOST]:
            silence = self._silence(window, now)
            if silence is not None and silence.ends_at > now:
                yield silence

    def _silence(self, window: Mapping[str, Any], now: datetime) -> Silence | None:
        there = {service["id"] for service in window.get("services") or []}
        ours = sorted(name for name, place in self._places.items() if place in there)
        if not ours:
            return None
        by = (window.get("created_by") or {}).get("summary")
        return Silence(
            id=f"{MARK}{window['id']}",
            kind="maintenance",
            matchers=[],
            services=ours,
            starts_at=moment(window["start_time"]),
            ends_at=moment(window["end_time"]),
            author=f"{AUTHOR}: {by}" if by else AUTHOR,
            comment=str(window.get("description") or window.get("summary") or "a maintenance window in PagerDuty")[
                :2000
            ],
            created_at=now,
            source="pagerduty",
        )


def _differs(known: Silence | None, silence: Silence) -> bool:
    """Whether it must be written; one that somebody has ended here stays ended unless its time is another now."""
    if known is None:
        return True
    if known.expired_by and known.expired_by != AUTHOR:
        return False
    compared = ("starts_at", "ends_at", "services", "comment", "author", "expired_by")
    return any(getattr(known, name) != getattr(silence, name) for name in compared)
