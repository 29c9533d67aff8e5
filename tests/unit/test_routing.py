"""Which way an alert takes through the routes of its service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from config.services import Service
from tasks.alerts.route_story import look_at
from tasks.alerts.routing import DEFAULT_ROUTE, Router, RouteTaken, Routing
from tests.unit.config_kit import KEY, OTHER_KEY

MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SATURDAY_NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHANNELS = [
    {"name": "primary", "routing_key": KEY},
    {"name": "night", "routing_key": OTHER_KEY},
    {"name": "desk", "routing_key": "T" * 32, "routed_only": True},
]


def shop(*routes: dict[str, Any]) -> Service:
    return Service.model_validate({"name": "shop", "channels": CHANNELS, "routes": routes})


def route(routes: list[dict[str, Any]], now: datetime | None = None, **labels: str) -> Routing:
    return Router([shop(*routes)]).route("shop", labels, now)


def test_a_service_without_routes_takes_its_own_channels() -> None:
    assert route([]) == Routing({"shop": None}, (RouteTaken(DEFAULT_ROUTE, "shop", ()),))


def test_an_unknown_service_is_its_own_destination() -> None:
    assert Router([]).route("ghost", {}, None).destinations == ("ghost",)


def test_the_first_route_that_fits_is_taken_and_says_why() -> None:
    routes = [
        {"name": "other", "match": ["team=web"], "channels": ["night"]},
        {"name": "database", "match": ["team=db"], "severity": ["critical", "error"], "channels": ["desk", "night"]},
        {"name": "rest", "channels": ["night"]},
    ]

    routing = route(routes, team="db", severity="error")

    assert routing.destinations == ("shop/desk",)
    assert routing.routes == (RouteTaken("database", "shop/desk", ("team=db", "severity: critical, error")),)


def test_an_alert_that_no_route_fits_takes_the_default() -> None:
    routing = route([{"name": "database", "match": ["team=db"], "channels": ["desk"]}], team="web")

    assert [taken.name for taken in routing.routes] == [DEFAULT_ROUTE]
    assert routing.destinations == ("shop",)


def test_with_continue_the_routes_after_it_are_tried_too() -> None:
    routes = [
        {"name": "log", "match": ["team=~.+"], "channels": ["desk"], "continue": True},
        {"name": "also", "match": ["team=db"], "channels": ["night"], "continue": True},
        {"name": "not", "match": ["team=web"], "channels": ["primary", "night"]},
        {"name": "last", "match": ["severity!=info"]},
        {"name": "never", "match": ["team=db", "severity=x"]},
    ]

    routing = route(routes, team="db", severity="x")

    assert [taken.name for taken in routing.routes] == ["log", "also", "last"]
    assert routing.destinations == ("shop/desk", "shop/night", "shop")


def test_two_routes_to_one_destination_send_one_copy() -> None:
    routes = [
        {"name": "a", "match": ["x=1"], "channels": ["desk"], "continue": True},
        {"name": "b", "match": ["y=1"], "channels": ["desk"]},
    ]

    routing = route(routes, x="1", y="1")

    assert routing.destinations == ("shop/desk",)
    assert [taken.name for taken in routing.routes] == ["a", "b"]


def test_routes_beneath_refine_their_parent_and_inherit_from_it() -> None:
    below = [{"name": "loud", "severity": ["critical"], "channels": ["night"]}, {"name": "eu", "match": ["region=eu"]}]
    routes = [{"name": "database", "match": ["team=db"], "channels": ["desk"], "routes": below}]

    assert route(routes, team="db", severity="critical").routes == (
        RouteTaken("loud", "shop/night", ("team=db", "severity: critical")),
    )
    assert route(routes, team="db", region="eu").routes == (RouteTaken("eu", "shop/desk", ("team=db", "region=eu")),)
    assert route(routes, team="db").routes == (RouteTaken("database", "shop/desk", ("team=db",)),)
    assert route(routes, severity="critical").destinations == ("shop",)


def test_continue_of_a_route_beneath_ends_with_its_siblings() -> None:
    below = [
        {"name": "one", "match": ["x=1"], "channels": ["desk"], "continue": True},
        {"name": "two", "match": ["y=1"], "channels": ["night"]},
    ]
    routes = [{"name": "parent", "match": ["team=db"], "routes": below}, {"name": "after", "match": ["x=1"]}]

    assert [taken.name for taken in route(routes, team="db", x="1", y="1").routes] == ["one", "two"]


def test_a_hand_over_takes_the_other_services_own_channels_and_a_route_beneath_may_take_it_back() -> None:
    below = [
        {"name": "ours", "match": ["owner=shop"], "service": "shop"},
        {"name": "desk", "match": ["x=1"], "channels": ["desk"]},
    ]
    routes = [{"name": "database", "match": ["team=db"], "service": "database", "routes": below}]

    assert route(routes, team="db").destinations == ("database",)
    assert route(routes, team="db", owner="shop").destinations == ("shop",)
    assert route(routes, team="db", x="1").destinations == ("shop/desk",)


def test_a_label_that_is_missing_counts_as_empty() -> None:
    routes = [
        {"name": "no-team", "match": ['team=""'], "channels": ["desk"]},
        {"name": "maybe", "match": ["team=~(web.*)?", "host=~.*"], "channels": ["night"]},
    ]

    assert route(routes).routes[0].name == "no-team"
    assert route(routes, team="web1").routes[0].name == "maybe"
    assert route(routes, team="db").routes[0].name == DEFAULT_ROUTE


def test_times_decide_by_the_clock_they_are_handed_and_are_inherited_with_their_zone() -> None:
    below = [{"name": "early", "times": [{"to": "12:30"}], "channels": ["night"]}]
    routes = [
        {
            "name": "weekend",
            "times": [{"days": ["sat"]}],
            "time_zone": "Asia/Tokyo",
            "channels": ["desk"],
            "routes": below,
        }
    ]

    on_saturday = route(routes, SATURDAY_NOON)
    assert on_saturday.routes == (RouteTaken("weekend", "shop/desk", ("sat 00:00-24:00 Asia/Tokyo",)),)
    assert route(routes, MONDAY_NOON).destinations == ("shop",)
    at_eight_in_tokyo = SATURDAY_NOON.replace(day=20, hour=23)
    assert route(routes, at_eight_in_tokyo).routes[0].why == (
        "every day 00:00-12:30 Asia/Tokyo",
        "sat 00:00-24:00 Asia/Tokyo",
    )


def test_a_router_says_whether_it_looks_at_the_clock() -> None:
    below = [{"name": "b", "times": [{"days": ["sat"]}]}]

    assert not Router([shop({"name": "a", "match": ["x=1"]})]).needs_time
    assert Router([shop({"name": "a", "match": ["x=1"], "routes": below})]).needs_time


def test_every_route_says_why_it_is_taken_or_not() -> None:
    below = [{"name": "b", "match": ["y=1"]}]
    routes = [
        {"name": "a", "match": ["x=2", "z=1"], "severity": ["info"], "routes": below},
        {"name": "sat", "times": [{"days": ["sat"]}], "time_zone": "Europe/Berlin"},
        {"name": "c", "match": ["x=1"], "routes": [{"name": "d", "match": ["z=1"]}]},
        {"name": "e", "match": ["q=1"]},
    ]

    looks = {look.name: look for look in look_at(shop(*routes).routes, {"x": "1", "z": "1"}, MONDAY_NOON)}

    assert looks["a"].verdict == "unfit"
    assert looks["a"].held == ("z=1",)
    assert looks["a"].failed == ("x=2 (it is '1')", "severity: info (the alert has none)")
    assert looks["b"].because == "'a' above it does not fit"
    assert looks["sat"].failed == ("sat 00:00-24:00 Europe/Berlin (it is Mon 13:00)",)
    assert (looks["c"].verdict, looks["d"].verdict) == ("refined", "taken")
    assert looks["e"].because == "'c' before it took the alert, without `continue`"
