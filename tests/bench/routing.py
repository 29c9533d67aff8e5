"""Routing: how long the router takes for one alert among 500 routes, beside a plain walk of the same tree."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from statistics import fmean
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from config.routing import walk
from config.services import Service
from tasks.alerts.routing import Router
from tasks.alerts.times import Times
from tests.bench.figures import figure, quantile, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from config.routing import Route

ROUTES = 500
ALERTS = 20_000
WALKS = 200  # the plain walk takes that much longer
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHANNELS = [{"name": name, "routing_key": name[0] * 32} for name in ("primary", "second")]

Labels = dict[str, str]


def run(alerts: int = ALERTS) -> None:
    """Measure every tree with alerts that are all different, a tenth of which fits no route; the slowest tree counts."""
    middles = []
    for name, (tree, labels) in TREES.items():
        say(f"routing: {name}")
        service = Service.model_validate({"name": "shop", "channels": CHANNELS, "routes": tree})
        router = Router([service])
        middles.append(
            _measure(f"routing.tocsin.{name}", alerts, labels, lambda one, of=router: of.route("shop", one, NOW))
        )
        plain = Plain(service.routes)
        _measure(f"routing.plain.{name}", WALKS, labels, lambda one, of=plain: of.walk(of.routes, one))
    figure("routing.tocsin.p50", max(middles), "us", alerts)


def _measure(name: str, alerts: int, labels: Callable[[int], Labels], route: Callable[[Labels], Any]) -> float:
    asked = [labels(number) for number in range(alerts)]
    for one in asked[: WALKS // 4]:
        route(one)
    samples = []
    for one in asked:
        begun = time.perf_counter()
        route(one)
        samples.append((time.perf_counter() - begun) * 1e6)
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        figure(f"{name}_{label}", quantile(samples, share), "us", len(samples))
    figure(f"{name}_mean", fmean(samples), "us", len(samples))
    return quantile(samples, 0.5)


class Plain:
    """The tree as it is written, every route tried in order."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = routes
        self._times = {route.name: Times(route.times, "UTC") for route in walk(routes) if route.times}

    def walk(self, routes: Sequence[Route], labels: Labels) -> list[str]:
        """The names of the routes taken."""
        taken: list[str] = []
        for route in routes:
            if self._fits(route, labels):
                taken += self.walk(route.routes, labels) or [route.name]
                if not route.goes_on:
                    break
        return taken

    def _fits(self, route: Route, labels: Labels) -> bool:
        if not all(matcher.matches(labels) for matcher in route.match):
            return False
        if route.severity and labels["severity"] not in route.severity:
            return False
        return route.name not in self._times or self._times[route.name].open_at(NOW) is not None


def _alert(number: int) -> Labels:
    """Labels as an alert of Prometheus has them; each tenth is of a team and an app that nobody knows."""
    rank = number * 7 % ROUTES if number % 10 else ROUTES
    return {
        "service": "shop",
        "team": f"team{rank % 20}",
        "app": f"app{rank}",
        "host": f"app{rank}-{number}.eu.example.com",
        "severity": ("critical", "error", "warning", "info")[number % 4],
        "alertname": f"Alert{number % 50}",
        "summary": f"app{rank} on host {number} is slow, {number} requests wait",
        **{f"detail{index}": f"value {number} {index}" for index in range(12)},
    }


def _flat(number: int) -> dict[str, Any]:
    return {"name": f"r{number}", "match": [f"app=app{number}", "severity!=none"], "channels": ["second"]}


def _nested() -> list[dict[str, Any]]:
    """20 teams, with 24 apps each: 500 routes in all."""
    return [
        {
            "name": f"t{team}",
            "match": [f"team=team{team}"],
            "routes": [
                _flat(team + 20 * app)
                | {"severity": ["critical", "error"], "times": [{"from": "08:00", "to": "18:00"}]}
                for app in range(24)
            ],
        }
        for team in range(20)
    ]


def _patterns(number: int) -> dict[str, Any]:
    """Nothing but regular expressions, half of which do not know how the host begins."""
    host = f"app{number}-.*" if number % 2 else f".*app{number}-[0-9]+[.]eu[.].*"
    return {
        "name": f"r{number}",
        "match": ["severity=~crit.*|err.*|warn.*|info", f"host=~{host}"],
        "channels": ["second"],
    }


def _word(number: int) -> str:
    chance = random.Random(number)
    return "".join(chance.choices(ascii_lowercase, k=chance.randint(4, 9)))


def _words(number: int) -> dict[str, Any]:
    """Expressions with nothing in common but their form."""
    host = f"(.*[.])?{_word(number)}[.]example[.]com" if number % 2 else f"[a-z]+-{_word(number)}[0-9]*[.].*"
    return {"name": f"r{number}", "match": [f"host=~{host}"], "channels": ["second"]}


def _wordy(number: int) -> Labels:
    """Hosts that no expression has seen the like of before; a fifth of them are some route's all the same."""
    host = f"{_word(7 * number)}-{_word(number % (5 * ROUTES))}{number}.{_word(-number)}.example.com"
    return {**_alert(number), "host": host}


TREES: dict[str, tuple[list[dict[str, Any]], Callable[[int], Labels]]] = {
    "flat": ([_flat(number) for number in range(ROUTES)], _alert),
    "nested": (_nested(), _alert),
    "regex": ([_patterns(number) for number in range(ROUTES)], _alert),
    "words": ([_words(number) for number in range(ROUTES)], _wordy),
}
