"""The shortcut and the plain walk come to the same answer."""

from __future__ import annotations

import random
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.matchers import MOST_MEMORY, Matcher
from config.routing import Route
from config.services import Service
from tasks.alerts.conditions import Condition, conditions_of
from tasks.alerts.route_index import CANARY, Patterns
from tasks.alerts.route_story import look_at
from tasks.alerts.routing import DEFAULT_ROUTE, Router
from tests.searching import searched
from tests.unit.config_kit import KEY, OTHER_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = ("team", "host", "severity", "env")
WORDS = ("", "db", "web", "web1", "critical", "info", "a|b", "née", "x\ny")
PATTERNS = (
    "",
    ".*",
    ".+",
    "web.*",
    "web[0-9]",
    "db|web",
    "(db|web)1?",
    "critical|error",
    "a\\|b",
    "|x",
    "[^a]*",
    "n.e",
    "^web$",
    "web|db.*",
    "(?i)WEB.*",
    "\\Qweb",
    "\\bdb\\b.*",
    ".*b1?|.+\ny",
)
CHANNELS = ("primary", "second", "third")

MATCHERS = [
    f"{label}{op}{value}"
    for ops, values in ((("=", "!="), WORDS), (("=~", "!~"), PATTERNS))
    for label, op, value in product(LABELS, ops, values)
]


def leaf(chance: random.Random) -> dict[str, Any]:
    def some(things: Sequence[Any], fewest: int, most: int) -> list[Any]:
        return [chance.choice(things) for _ in range(chance.randint(fewest, most))]

    optional = {
        "severity": some(["critical", "info"], 0, 2),
        "times": [window(some(["mon", "sat", "sun"], 1, 2), chance) for _ in range(chance.randint(0, 2))],
        "time_zone": chance.choice(["Europe/Berlin", "Asia/Kolkata", "UTC"]),
        "channels": [chance.choice(CHANNELS)],
        "continue": chance.random() < 0.5,
    }
    kept = {name: value for name, value in optional.items() if chance.random() < 0.5}
    return {"match": some(MATCHERS, 0, 3), **kept}


def window(days: list[str], chance: random.Random) -> dict[str, Any]:
    optional = {
        "from": chance.choice(["00:00", "06:00", "09:30", "22:00"]),
        "to": chance.choice(["05:00", "12:00", "23:59"]),
    }
    return {"days": days, **{name: value for name, value in optional.items() if chance.random() < 0.5}}


def branch(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    deeper = depth < 3 and chance.random() < 0.4
    below = [branch(chance, depth + 1) for _ in range(chance.randint(1, 4))] if deeper else []
    return leaf(chance) | ({"routes": below} if deeper else {})


# One draw for each branch: it would take Hypothesis longer to draw a tree than the router to walk it.
BRANCHES = [branch(random.Random(number)) for number in range(2000)]
trees = st.lists(st.sampled_from(BRANCHES).map(deepcopy), max_size=8)
labels = st.dictionaries(st.sampled_from(LABELS), st.sampled_from(WORDS))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@searched(60, deadline=timedelta(seconds=2))
@given(trees, st.lists(labels, min_size=1, max_size=5), moments)
def test_the_router_takes_exactly_the_routes_that_a_plain_walk_takes(
    tree: list[dict[str, Any]], alerts: list[dict[str, str]], now: datetime
) -> None:
    service = shop(tree)
    router = Router([service])

    for alert in alerts:
        looks = look_at(service.routes, alert, now)
        taken = [look.name for look in looks if look.verdict == "taken"]
        routing = router.route("shop", alert, now)

        assert [route.name for route in routing.routes] == (taken or [DEFAULT_ROUTE])
        assert set(routing.destinations) == {route.destination for route in routing.routes}
        assert len(set(routing.destinations)) == len(routing.destinations)


def shop(tree: list[dict[str, Any]]) -> Service:
    named(tree, "r")
    channels = [
        {"name": name, "routing_key": key} for name, key in zip(CHANNELS, (KEY, OTHER_KEY, "T" * 32), strict=True)
    ]
    return Service.model_validate({"name": "shop", "channels": channels, "routes": tree})


def named(routes: list[dict[str, Any]], above: str) -> None:
    for number, route in enumerate(routes):
        route["name"] = f"{above}{number}"
        named(route.get("routes", []), f"{above}{number}.")


WILD = [f".*{word}[0-9]*(-x)?" for word in ("web", "db", "", "w.b", "a{1,9}b", "[a-z]{2,5}")]
WILD += ["^web1$", "(?i)WEB1", "\\Qdb-x", "web1|.web", f"{CANARY}?", "(?i).*k.*", "\u017f+", ".*([0-9]|-)"]
VALUES = (
    "web1",
    "WEB1",
    "db-x",
    "",
    "aaab77",
    "a web",
    "néb",
    "-",
    CANARY,
    "a\nb",
    "Kelvin \u212a",
    "\u017f\u017f",
    "s",
)


def patterns_of(expressions: list[str], memory: int = MOST_MEMORY) -> tuple[Patterns, list[Condition]]:
    [*conditions] = (conditions_of(Route(name="r", match=(Matcher.parse(f"host=~{one}"),)))[0] for one in expressions)
    return Patterns(dict(enumerate(conditions)), memory), conditions


@pytest.mark.parametrize("memory", [1, 1_000, 3_000, 5_000, 10_000, 30_000, 100_000, MOST_MEMORY])
def test_expressions_fit_the_same_values_however_little_room_there_is(memory: int) -> None:
    patterns, conditions = patterns_of(WILD, memory)

    for value in VALUES:
        expected = [i for i, condition in enumerate(conditions) if condition.holds({"host": value})]
        assert sorted(patterns.fitting(value)) == expected, value


def test_expressions_with_more_words_than_one_filter_can_hold_are_found_all_the_same() -> None:
    words = [f"{number:04}" * 30 for number in range(700)]
    patterns, _ = patterns_of([f".*{word}.*" for word in words])

    assert [patterns.fitting(f"x{word}y") for word in words] == [[number] for number in range(700)]
    assert patterns.fitting("x") == []


def test_siblings_that_share_a_value_are_told_apart_by_what_they_do_not_share() -> None:
    routes = [{"match": ["env=prod", f"host=~web{number}-.+", "zone!=x"]} for number in range(20)]
    router = Router([shop(routes)])

    for number in range(20):
        assert router.route("shop", {"env": "prod", "host": f"web{number}-a"}, None).routes[0].name == f"r{number}"
    assert router.route("shop", {"env": "test", "host": "web3-a"}, None).routes[0].name == DEFAULT_ROUTE
    assert router.route("shop", {"env": "prod", "host": "web3-a", "zone": "x"}, None).routes[0].name == DEFAULT_ROUTE
