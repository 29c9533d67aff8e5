"""Incidents of the past, planted as many as are asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.incident_kit import DAY, HOUR, Desk, account
from tests.integration.sandbox.kit import KEY, event

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Desk:
    sandbox.control("PUT", "/account", account({"auto_resolve_timeout": 4 * HOUR}))
    return Desk(sandbox)


def test_they_are_spread_evenly_over_the_time_asked_for(desk: Desk) -> None:
    since = datetime(2026, 3, 1, tzinfo=UTC)
    body = {"count": 4, "service": "db", "since": since.isoformat(), "until": (since + timedelta(days=1)).isoformat()}

    planted = desk.sandbox.control("POST", "/incidents", body)

    found = desk.sandbox.incidents(since="2026-03-01", until="2026-03-02")
    hours = [datetime.fromisoformat(one["created_at"]).hour for one in found]
    assert (hours, planted["count"]) == ([0, 6, 12, 18], 4)
    assert [planted["first"], planted["last"]] == [found[0]["id"], found[-1]["id"]]


def test_they_come_in_order_of_time_among_those_that_happened(desk: Desk) -> None:
    desk.trigger("new", summary="new")
    desk.sandbox.control("POST", "/incidents", {"count": 2, "service": "db", "title": "old {n}"})

    assert [one["title"] for one in desk.sandbox.incidents()] == ["old 1", "old 2", "new"]
    entries = desk.sandbox.get("/log_entries", limit=100)["log_entries"]
    times = [one["created_at"] for one in entries]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        ("triggered", ["trigger"]),
        ("acknowledged", ["trigger", "acknowledge"]),
        ("resolved", ["trigger", "acknowledge", "resolve"]),
    ],
)
def test_they_have_the_status_asked_for_and_the_log_of_it(desk: Desk, status: str, kinds: list[str]) -> None:
    name = desk.sandbox.control("POST", "/incidents", {"count": 1, "service": "db", "status": status})["first"]

    assert desk.show(name)["status"] == status
    assert desk.kinds(name) == kinds


def test_events_reach_their_alerts(desk: Desk) -> None:
    desk.sandbox.control("POST", "/incidents", {"count": 2, "service": "db", "dedup_key": "k{n}"})

    desk.sandbox.enqueue(event("resolve", dedup_key="k2", key=KEY))

    assert [one["status"] for one in desk.sandbox.incidents()] == ["triggered", "resolved"]


def test_nothing_falls_due_for_them(desk: Desk) -> None:
    desk.sandbox.control("POST", "/incidents", {"count": 1, "service": "db"})

    desk.sandbox.advance(DAY)

    assert [one["status"] for one in desk.sandbox.incidents()] == ["triggered"]


@pytest.mark.parametrize(
    "body",
    [
        {"count": 0, "service": "db"},
        {"count": 1, "service": "nobody's"},
        {"count": 1},
        {"count": 1, "service": "db", "since": "2026-01-02", "until": "2026-01-01"},
        {"count": 1, "service": "db", "status": "open"},
    ],
)
def test_what_cannot_be_planted_is_refused_in_plain_words(desk: Desk, body: dict[str, object]) -> None:
    answer = desk.sandbox.http.post("/_sandbox/incidents", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]
