"""Groups after a loss: a resolve of a member of before closes the right incident, at the right time, and nobody is paged twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tasks.backups.state.alerts import OpenAlerts
from tasks.utils.scripts import Scripts
from tests.acceptance.sync_world import CROWD, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox


@pytest.fixture
def world(tmp_path: Path, server: Server, sandbox: Sandbox, client: object) -> Iterator[World]:
    with World(tmp_path, server.url, sandbox) as built:
        yield built


def tell(world: World) -> None:
    """Whatever waits in a group is told."""
    for _ in range(2):
        world.advance(31)
        world.runtime.delivery.digest()
        world.work()


def crowd(world: World, action: str, *keys: str) -> None:
    """News of alerts of one group, told."""
    world.submit(action, *keys, service="crowd", team="web")
    tell(world)


def groups_there(world: World) -> int:
    return sum(count for key, count in world.open_there().items() if key.startswith("tocsin-group-"))


def end_by_hand(world: World) -> None:
    """A person resolves the one open incident at PagerDuty, and Tocsin hears of it."""
    [incident] = [one for one in world.sandbox.incidents() if one["status"] != "resolved"]
    world.runtime.rest.incidents.update(incident["id"], {"type": "incident", "status": "resolved"})
    world.advance(60)
    world.sync()


def test_a_group_ends_with_the_last_of_its_members_from_before_the_loss(world: World) -> None:
    crowd(world, "trigger", "a", "b")
    crowd(world, "trigger", "c")
    crowd(world, "resolve", "b")
    world.lose_everything()

    report = world.sync()

    assert (report.rebuilt, report.groups) == (2, [])
    crowd(world, "resolve", "a")
    assert groups_there(world) == 1
    crowd(world, "resolve", "c")
    assert groups_there(world) == 0


def test_a_member_is_known_again_by_its_key_as_it_is_spaces_and_all(world: World) -> None:
    crowd(world, "trigger", "a  b ")
    world.lose_everything()
    world.sync()

    crowd(world, "resolve", "a  b ")

    assert groups_there(world) == 0


def test_a_group_with_a_member_whose_key_was_too_long_to_tell_is_left_open_and_named(world: World) -> None:
    crowd(world, "trigger", "a", "long" * 300)
    world.lose_everything()

    report = world.sync()
    crowd(world, "resolve", "a")

    assert (report.rebuilt, len(report.groups), groups_there(world)) == (1, 1, 1)


def test_what_fires_after_the_loss_grows_the_same_incident_and_does_not_end_it(world: World) -> None:
    crowd(world, "trigger", "a")
    world.lose_everything()
    crowd(world, "trigger", "new")

    world.sync()
    crowd(world, "resolve", "new")

    assert groups_there(world) == 1
    crowd(world, "resolve", "a")
    assert groups_there(world) == 0
    assert len([one for one in world.sandbox.incidents() if one["service"]["summary"] == "crowd"]) == 1


def test_a_resolve_between_the_loss_and_the_comparison_is_not_forgotten(world: World) -> None:
    crowd(world, "trigger", "a", "b")
    world.lose_everything()
    crowd(world, "resolve", "a")

    report = world.sync()
    tell(world)

    assert (report.rebuilt, report.resolved_again) == (1, 1)
    crowd(world, "resolve", "b")
    assert groups_there(world) == 0


def test_a_group_whose_log_cannot_be_read_is_named_holds_nothing_up_and_is_read_by_the_next_run(world: World) -> None:
    world.submit("trigger", "alone", service="shop")
    crowd(world, "trigger", "a", "b")
    world.lose_everything()
    [incident] = [one for one in world.sandbox.incidents() if one["service"]["summary"] == "crowd"]
    world.sandbox.fault(kind="reject", status=404, path=f"/incidents/{incident['id']}/log_entries")

    report = world.sync()

    assert (report.rebuilt, len(report.groups)) == (1, 1)
    world.submit("resolve", "alone", service="shop")
    world.sandbox.heal()
    assert world.sync().rebuilt == 2
    crowd(world, "resolve", "a", "b")
    assert groups_there(world) == 0
    assert not any(world.open_there().values())


def test_once_read_a_group_is_not_read_again(world: World) -> None:
    crowd(world, "trigger", "a")
    world.lose_everything()
    world.sync()
    crowd(world, "resolve", "a")
    crowd(world, "trigger", "b")

    again = world.sync()

    assert (again.rebuilt, again.known) == (0, 1)
    assert world.status("a", "crowd") == "resolved"


def test_a_group_with_an_incident_of_each_of_two_keys_is_read_once_for_each(world: World) -> None:
    crowd(world, "trigger", "a")
    world.lose_everything()
    world.sync()
    group = next(iter(world.open_there())).removeprefix("tocsin-group-")
    other = {"group": group, "destination": "crowd", "spec": "30000 50 0 0", "labels": "{}", "severity": "critical"}
    other |= {"channel": "page", "key_id": "another", "incident": "Q2", "created": 1}
    Scripts(world.client, world.keys).run("rebuild_group", json.dumps(other), "")

    world.sync()
    world.sync()

    assert len([one for one in world.sandbox.log() if one["path"].endswith("/log_entries")]) == 1


def test_a_dry_run_counts_the_members_and_changes_nothing(world: World) -> None:
    crowd(world, "trigger", "a", "b")
    world.lose_everything()

    assert world.sync(dry_run=True).rebuilt == 2
    assert world.status("a", "crowd") == "unknown"


def test_a_person_who_resolves_the_incident_resolves_its_members_from_before_the_loss(world: World) -> None:
    crowd(world, "trigger", "a", "b")
    world.lose_everything()
    world.sync()

    end_by_hand(world)

    assert (world.status("a", "crowd"), world.status("b", "crowd")) == ("resolved", "resolved")


def test_a_group_that_was_told_of_more_often_than_pagerduty_logs_is_left_open_and_named(world: World) -> None:
    world.sandbox.control("POST", "/limits", {"events_per_minute": None})
    crowd(world, "trigger", "a")
    for number in range(101):
        world.sandbox.http.post(
            "/v2/enqueue",
            json={
                "routing_key": CROWD,
                "event_action": "trigger",
                "dedup_key": next(iter(world.open_there())),
                "payload": {
                    "summary": "more",
                    "source": "web",
                    "severity": "critical",
                    "custom_details": {"counts": {}, "n": number},
                },
            },
        ).raise_for_status()
    world.lose_everything()

    group = next(iter(world.open_there())).removeprefix("tocsin-group-")
    report = world.sync()

    assert report.rebuilt == 1
    assert len(report.groups) == 1
    crowd(world, "resolve", "a")
    assert groups_there(world) == 1
    end_by_hand(world)
    left = world.client.hgetall(world.keys.alert(group))
    assert left["status"] == "resolved"
    assert not {"episode", "severity", "began"} & left.keys()


def test_members_that_came_and_went_after_the_backup_are_known_when_it_is_back(world: World) -> None:
    kept = OpenAlerts(world.client, world.keys)
    crowd(world, "trigger", "a", "b", "c")
    backup = list(kept.read())
    crowd(world, "trigger", "late")
    crowd(world, "resolve", "b")
    world.lose_everything()
    for item in backup:
        kept.restore(item, "1dd14295")

    report = world.sync()
    tell(world)

    assert (report.rebuilt, report.closed, report.groups) == (1, 1, [])
    assert world.status("b", "crowd") == "resolved"
    crowd(world, "resolve", "a", "c")
    assert groups_there(world) == 1
    crowd(world, "resolve", "late")
    assert groups_there(world) == 0


def test_a_summary_of_a_storm_ends_with_the_alerts_it_told_of(
    tmp_path: Path, server: Server, sandbox: Sandbox, client: object
) -> None:
    keys = [f"k{number}" for number in range(30)]
    with World(tmp_path, server.url, sandbox, TOCSIN_PAGERDUTY__EVENTS_PER_MINUTE="10") as world:
        world.send("trigger", *keys)
        for _ in range(4):
            tell(world)
        told = world.open_there()
        assert groups_there(world) == 1
        assert len(told) < len(keys)
        world.lose_everything()

        report = world.sync()

        assert (report.rebuilt, report.groups) == (len(keys), [])
        world.send("resolve", *keys)
        for _ in range(10):
            tell(world)
        assert world.open_there() == {}
