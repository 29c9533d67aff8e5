"""Whatever PagerDuty rightly does with an alert is no miss: 0 false pages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.identifiers import key_id
from tests.acceptance.loop_history import History
from tests.acceptance.loop_world import Loop
from tests.acceptance.sync_world import PRIMARY, STANDBY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

BOT = "bot@example.com"
SEED = int(os.environ.get("SEED", "1"))
HISTORIES = int(os.environ.get("HISTORIES", "2"))
MANY = [f"k{number}" for number in range(30)]


@pytest.fixture
def loop(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[Loop]:
    with Loop(tmp_path, server.url, sandbox) as made:
        yield made


def group_all(loop: Loop) -> None:
    """PagerDuty puts all alerts of the shop into one incident."""
    loop.change_service(alert_grouping_parameters={"type": "intelligent"})


def nothing_false(loop: Loop) -> None:
    assert loop.arrived(STANDBY) == {}
    assert max(loop.arrived(PRIMARY).values(), default=0) <= 1
    assert loop.letters() == []
    assert loop.is_proved()


@pytest.mark.parametrize("keys", [MANY[:2], MANY[:10], MANY], ids=len)
def test_alerts_that_pagerduty_groups_into_one_incident_are_seen(loop: Loop, keys: list[str]) -> None:
    group_all(loop)
    loop.send("trigger", "first")
    loop.pass_time(200)
    loop.send("trigger", *keys)

    loop.pass_time(400)

    assert len(loop.runtime.rest.caller.get("/incidents")["incidents"]) == 1
    assert {loop.receipt(key) for key in keys} == {"seen"}
    nothing_false(loop)


def test_an_alert_grouped_into_an_old_incident_that_was_resolved_meanwhile_is_seen(loop: Loop) -> None:
    group_all(loop)
    loop.send("trigger", "first")
    loop.pass_time(200)
    loop.send("trigger", *MANY)
    loop.pass_time(10)
    assert len(loop.runtime.rest.caller.get("/incidents")["incidents"]) == 1
    loop.runtime.rest.incidents.resolve(loop.incident("first")["id"], sender=BOT)

    loop.pass_time(400)

    nothing_false(loop)


def test_an_incident_that_was_merged_into_another_is_seen(loop: Loop) -> None:
    loop.send("trigger", "a", "b", "c", "d", "e")
    into = loop.incident("a")["id"]
    loop.runtime.rest.incidents.merge(into, [loop.incident(key)["id"] for key in "bcde"], sender=BOT)

    loop.pass_time(400)

    assert {loop.receipt(key) for key in "abcde"} == {"seen"}
    assert {loop.status(key) for key in "abcde"} == {"open"}
    nothing_false(loop)


def test_what_goes_on_in_an_incident_of_another_service_is_seen(loop: Loop) -> None:
    group_all(loop)
    loop.send("trigger", "a", "b")
    headers = {"routing_key": STANDBY, "event_action": "trigger", "dedup_key": "other"}
    payload = {"summary": "other", "source": "elsewhere", "severity": "critical"}
    loop.sandbox.http.post("/v2/enqueue", json={**headers, "payload": payload}).raise_for_status()
    theirs, ours = loop.incident("other")["id"], loop.incident("a")["id"]
    loop.runtime.rest.incidents.merge(theirs, [ours], sender=BOT)
    fault = loop.swallow(PRIMARY)
    loop.send("resolve", "a", "b")
    loop.sandbox.control("DELETE", f"/faults/{fault}")
    loop.pass_time(60)

    loop.send("trigger", "a", "b")
    loop.pass_time(400)

    assert loop.arrived(STANDBY) == {"other": 1}
    assert {loop.receipt(key) for key in "ab"} == {"seen"}


@pytest.mark.parametrize("keys", [["a"], MANY], ids=len)
def test_a_service_in_maintenance_is_seen_to_be_so(loop: Loop, keys: list[str]) -> None:
    now = loop.runtime.clock.now()
    window = {"start_time": now.isoformat(), "end_time": now.replace(year=now.year + 1).isoformat()}
    services = [{"id": loop.service()["id"], "type": "service_reference"}]
    body = {"type": "maintenance_window", "services": services, **window}
    loop.runtime.rest.maintenance_windows.create(body, sender=BOT)
    loop.advance(5)

    loop.send("trigger", *keys)
    loop.pass_time(400)

    assert {loop.receipt(key) for key in keys} == {"seen"}
    nothing_false(loop)


@pytest.mark.parametrize(
    "actions",
    [
        {"suppress": True},
        {"suspend": 3600},
        {"event_action": "resolve"},
        {"extractions": [{"target": "event.dedup_key", "template": "one for all"}]},
    ],
    ids=lambda actions: next(iter(actions)),
)
def test_what_rules_of_the_service_may_keep_from_an_incident_of_its_key_is_unverified(
    loop: Loop, actions: dict[str, Any]
) -> None:
    service, rest = loop.service()["id"], loop.runtime.rest
    rules = [{"id": "start", "rules": [{"conditions": [], "actions": actions}]}]
    rest.orchestrations.replace_service_rules(service, {"type": "service", "sets": rules, "catch_all": {"actions": {}}})
    rest.orchestrations.activate(service)

    loop.send("trigger", "a")
    loop.pass_time(400)

    assert loop.receipt("a") == "unverified"
    nothing_false(loop)


def test_a_disabled_service_is_no_miss(loop: Loop) -> None:
    loop.change_service(status="disabled")

    loop.send("trigger", "a")
    loop.pass_time(400)

    assert loop.receipt("a") in ("unverified", "seen")
    nothing_false(loop)


def test_where_the_api_key_sees_no_service_of_the_routing_key_nobody_can_tell(loop: Loop) -> None:
    """As with a key of another account, which would make a miss of every alert."""
    loop.swallow(PRIMARY)
    loop.client.hset(loop.keys.homes, "!asked", str(loop.runtime.clock.now().timestamp()))
    assert loop.client.hget(loop.keys.homes, key_id(PRIMARY)) is None

    loop.send("trigger", "a")
    loop.pass_time(100)

    assert loop.receipt("a") == "unverified"
    nothing_false(loop)


def test_lists_that_lag_behind_make_no_miss(loop: Loop) -> None:
    loop.sandbox.control("POST", "/limits", {"read_delay_seconds": 30})
    for key in "abcdefgh":
        loop.send("trigger", key)
        loop.pass_time(5)

    loop.pass_time(400)

    assert {loop.receipt(key) for key in "abcdefgh"} == {"seen"}
    nothing_false(loop)


def test_nothing_follows_from_silence_while_pagerduty_cannot_be_asked(loop: Loop) -> None:
    fault = loop.sandbox.fault(kind="error", status=503, path="/incidents")
    loop.send("trigger", *MANY)
    loop.pass_time(1200, step=30)
    assert loop.receipt("k0") == "waiting"

    loop.sandbox.control("DELETE", f"/faults/{fault}")
    loop.pass_time(600, step=30)

    assert {loop.receipt(key) for key in MANY} == {"seen"}
    nothing_false(loop)


@pytest.mark.parametrize(
    "fault", [{"kind": "error", "status": 503}, {"kind": "error", "status": 500}, {"kind": "throttle"}]
)
def test_after_an_hour_without_an_answer_nobody_knows(loop: Loop, fault: dict[str, Any]) -> None:
    loop.sandbox.fault(path="/incidents", **fault)
    loop.send("trigger", "a")

    loop.pass_time(4500, step=60)

    assert loop.receipt("a") == "unverified"
    nothing_false(loop)


def test_what_is_resolved_meanwhile_needs_no_look(loop: Loop) -> None:
    loop.swallow(PRIMARY)
    loop.send("trigger", "a")
    loop.pass_time(30)
    loop.send("resolve", "a")

    looks = loop.pass_time(400)

    assert sum(look.missed for look in looks) == 0
    nothing_false(loop)


def test_an_alert_that_goes_into_an_incident_left_open_by_the_episode_before_is_seen(loop: Loop) -> None:
    loop.send("trigger", "a")
    loop.pass_time(60)
    fault = loop.swallow(PRIMARY)
    loop.send("resolve", "a")
    loop.sandbox.control("DELETE", f"/faults/{fault}")
    loop.pass_time(120)

    loop.send("trigger", "a")
    loop.pass_time(400)

    assert loop.arrived(STANDBY) == {}
    assert loop.receipt("a") == "seen"
    assert loop.is_proved()


@pytest.mark.parametrize("groups", [False, True], ids=["single", "grouped"])
@pytest.mark.parametrize("seed", range(SEED, SEED + HISTORIES))
def test_in_a_random_history_nothing_is_lost_and_nobody_is_paged_for_nothing(
    loop: Loop, seed: int, *, groups: bool
) -> None:
    history = History(loop, seed, groups=groups)

    history.play(40)

    history.check()
