"""How computed shifts are shown: cut at the bounds asked for, in the zone asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from deploy.sandbox.names import reference
from deploy.sandbox.oncall import BEFORE, shifts_of
from deploy.sandbox.request import invalid
from deploy.sandbox.shifts import Shift, Span, coverage
from deploy.sandbox.zones import known_zone, time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deploy.sandbox.request import Request
    from deploy.sandbox.store import Entity

TWO_WEEKS = timedelta(days=14).total_seconds()
LONGEST = timedelta(days=366).total_seconds()


def asked_span(request: Request, *, required: bool = False) -> Span | None:
    """From `since` to `until`; of one alone, two weeks of it; None where neither is given and neither must be."""
    since, until = (request.instant(name, 0) if request.first(name) else None for name in ("since", "until"))
    if required and (since is None or until is None):
        raise invalid("since and until must be given")
    if since is None and until is None:
        return None
    start = since if since is not None else (until or 0) - TWO_WEEKS
    span = Span(start, until if until is not None else start + TWO_WEEKS)
    if span.end <= span.start or span.end - span.start > LONGEST:
        raise invalid("until must be later than since, and at most a year later")
    return span


def asked_zone(request: Request, default: str) -> str:
    """The zone that the answer's times are in."""
    name = request.first("time_zone", default)
    if not known_zone(name):
        raise invalid("Time zone is not valid")
    return name


def shown_at(at: float, zone: str) -> str:
    """A time with the offset of the zone."""
    written = datetime.fromtimestamp(at, time_zone(zone)).isoformat(timespec="seconds")
    return f"{written.removesuffix('+00:00')}Z" if written.endswith("+00:00") else written


def rendered(
    request: Request, zone: str, span: Span | None, shifts: Callable[[Span], Sequence[Shift]]
) -> dict[str, Any]:
    """The entries of a computed schedule and how much of the span they cover; nothing where no span is asked for."""
    if span is None:
        return {"rendered_schedule_entries": [], "rendered_coverage_percentage": None}
    wide = Span(span.start - BEFORE, span.end + BEFORE) if request.first("overflow") == "true" else span
    found = [one for one in shifts(wide) if one.start < span.end and one.end > span.start]
    return {
        "rendered_schedule_entries": [
            {"start": shown_at(one.start, zone), "end": shown_at(one.end, zone), "user": reference("user", one.user)}
            for one in found
        ],
        "rendered_coverage_percentage": coverage(found, span),
    }


def next_turn(request: Request, schedule: Entity, user_id: str, zone: str) -> dict[str, Any] | None:
    """The user's present or next turn within three months, or None."""
    span = Span(request.now, request.now + 90 * 86_400)
    found = next((one for one in shifts_of(schedule, span) if one.user == user_id), None)
    if found is None:
        return None
    user = reference("user", user_id)
    return {"start": shown_at(found.start, zone), "end": shown_at(found.end, zone), "user": user}
