"""Why an alert takes a route, or does not: walks the tree plainly, route by route; pure.

It shares no shortcut with `Router`, which must come to the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tasks.alerts.times import Times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from config.routing import Route

Verdict = Literal["taken", "refined", "unfit", "not_tried"]


@dataclass(frozen=True)
class Look:
    """What one route says to one alert. `refined`: it fits, and routes beneath it took the alert.

    `held` and `failed` are its own conditions; `because` says of one that was not tried why.
    """

    name: str
    verdict: Verdict
    held: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    because: str = ""


def look_at(routes: Sequence[Route], labels: Mapping[str, str], now: datetime) -> list[Look]:
    """One look at every route of a tree, each before those beneath it. `now` is aware."""
    return list(_beside(routes, labels, now, "UTC"))


def _beside(routes: Sequence[Route], labels: Mapping[str, str], now: datetime, zone: str) -> Iterator[Look]:
    taken_by = ""
    for route in routes:
        if taken_by:
            yield from _not_tried([route], f"{taken_by!r} before it took the alert, without `continue`")
            continue
        looks = list(_look(route, labels, now, route.time_zone or zone))
        yield from looks
        if looks[0].verdict != "unfit" and not route.goes_on:
            taken_by = route.name


def _look(route: Route, labels: Mapping[str, str], now: datetime, zone: str) -> Iterator[Look]:
    held, failed = _conditions(route, labels, now, zone)
    if failed:
        yield Look(route.name, "unfit", held, failed)
        yield from _not_tried(route.routes, f"{route.name!r} above it does not fit")
        return
    below = list(_beside(route.routes, labels, now, zone))
    refined = any(look.verdict in ("taken", "refined") for look in below)
    yield Look(route.name, "refined" if refined else "taken", held)
    yield from below


def _not_tried(routes: Sequence[Route], because: str) -> Iterator[Look]:
    for route in routes:
        yield Look(route.name, "not_tried", because=because)
        yield from _not_tried(route.routes, because)


def _conditions(
    route: Route, labels: Mapping[str, str], now: datetime, zone: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Its conditions, as texts: those that hold, and those that do not with what stands in their place."""
    held, failed = [], []
    for matcher in route.match:
        if matcher.matches(labels):
            held.append(str(matcher))
        else:
            failed.append(f"{matcher} ({_is(matcher.name, labels)})")
    if route.severity:
        wanted = f"severity: {', '.join(route.severity)}"
        fits = labels.get("severity", "") in route.severity
        (held if fits else failed).append(wanted if fits else f"{wanted} ({_is('severity', labels)})")
    if route.times:
        times = Times(route.times, zone)
        window = times.open_at(now)
        (failed if window is None else held).append(window or f"{times} (it is {times.wall_clock(now)})")
    return tuple(held), tuple(failed)


def _is(label: str, labels: Mapping[str, str]) -> str:
    value = labels.get(label, "")
    return f"it is {value[:80]!r}" if value else "the alert has none"
