"""Which way an alert takes: walks the tree of its service's routes; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from config.routing import walk
from tasks.alerts.conditions import conditions_of
from tasks.alerts.grouping import GroupingWords, GroupRule
from tasks.alerts.route_index import Index
from tasks.alerts.times import Times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from config.grouping import Grouping
    from config.routing import Route
    from config.services import Service

Ways = dict[str, GroupRule | None]  # destination -> how its alerts are grouped
DEFAULT_ROUTE: Final = "default route"  # no route can be called so: names hold no space


@dataclass(frozen=True, slots=True)
class RouteTaken:
    """One route an alert takes, and why: the conditions that hold, those of the routes above it first, then the windows."""

    name: str
    destination: str
    why: tuple[str, ...]
    grouping: GroupRule | None = None  # None: each alert by itself


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an alert goes: at least one destination, each once, and the routes that lead there in the order they were taken.

    A destination is `SERVICE` (its own channels) or `SERVICE/CHANNEL` (the list of its routes that begins with that channel).
    """

    ways: Ways
    routes: tuple[RouteTaken, ...]

    @property
    def destinations(self) -> tuple[str, ...]:
        """Where it goes."""
        return tuple(self.ways)


class Router:
    """Every service's tree, made ready once. Immutable, so that threads may share it."""

    def __init__(self, services: Iterable[Service], grouping: Grouping | None = None) -> None:
        known = list(services)
        self.words = words = GroupingWords({service.name: service for service in known}, grouping)
        self.needs_time = any(route.times for service in known for route in walk(service.routes))
        self._trees = {
            service.name: _Siblings(service.routes, _Above(service, service.name, (), "UTC", (), words))
            for service in known
            if service.routes
        }
        self._usual = {
            destination: words.rule(destination) for service in known for destination in service.destinations
        }

    def usual_grouping(self, destination: str) -> GroupRule | None:
        """How the alerts of a destination are grouped where no route says otherwise."""
        return self._usual.get(destination)

    def route(self, service: str, labels: Mapping[str, str], now: datetime | None) -> Routing:
        """The way of an alert of `service` with these labels at that moment; its own channels where no route fits.

        `now` is aware; it may be None while `needs_time` is false.
        """
        tree = self._trees.get(service)
        taken: list[RouteTaken] = []
        if tree is None or not tree.take(labels, now, taken):
            usual = self._usual.get(service)
            return Routing({service: usual}, (RouteTaken(DEFAULT_ROUTE, service, (), usual),))
        ways: Ways = {}
        for route in taken:
            ways.setdefault(route.destination, route.grouping)
        return Routing(ways, tuple(taken))


@dataclass(frozen=True, slots=True)
class _Above:
    """What a route has from the routes above it."""

    service: Service
    destination: str
    why: tuple[str, ...]
    zone: str
    routes: tuple[Route, ...]
    words: GroupingWords


class _Node:
    """One route, with what it inherits."""

    __slots__ = ("_below", "_taken", "_times", "goes_on")

    def __init__(self, route: Route, above: _Above) -> None:
        self.goes_on = route.goes_on
        zone = route.time_zone or above.zone
        self._times = Times(route.times, zone) if route.times else None
        why = (*above.why, *(condition.text for condition in conditions_of(route)))
        destination = _destination(route, above)
        routes = (route, *above.routes)
        here = _Above(above.service, destination, why, zone, routes, above.words)
        self._taken = RouteTaken(route.name, destination, why, above.words.rule(destination, routes))
        self._below = _Siblings(route.routes, here) if route.routes else None

    def take(self, labels: Mapping[str, str], now: datetime | None, taken: list[RouteTaken]) -> bool:
        """Add this route, or the ones beneath that refine it; False where its times are over."""
        window = self._times.open_at(now) if self._times else ""
        if window is None:
            return False
        begin = len(taken)
        if self._below is None or not self._below.take(labels, now, taken):
            taken.append(self._taken)
        if window:
            taken[begin:] = [replace(t, why=(*t.why, window)) for t in taken[begin:]]
        return True


class _Siblings:
    """Routes beside each other: the first that fits is taken, further ones where it goes on."""

    __slots__ = ("_index", "_nodes")

    def __init__(self, routes: Sequence[Route], above: _Above) -> None:
        self._nodes = [_Node(route, above) for route in routes]
        self._index = Index([conditions_of(route) for route in routes])

    def take(self, labels: Mapping[str, str], now: datetime | None, taken: list[RouteTaken]) -> bool:
        """Add the routes taken; whether there is one."""
        fits = False
        for i in self._index.candidates(labels):
            node = self._nodes[i]
            if all(condition.holds(labels) for condition in self._index.left[i]) and node.take(labels, now, taken):
                fits = True
                if not node.goes_on:
                    break
        return fits


def _destination(route: Route, above: _Above) -> str:
    if route.service is not None:
        return route.service
    return above.service.destination(route.channels) if route.channels else above.destination
