"""An account's items, brought back into the account they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.backups.account.differences import differences
from tests.integration.account.kit import FileJournal, by_kind, made_up, one, read, restorer_of, silent

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.backups.items import Item
    from tasks.utils.rest.client import RestClient
    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def items(source: SandboxProcess, rest: RestClient) -> list[Item]:
    """A backup of the account, which has not changed since."""
    made_up(source)
    return read(rest)


def changed(service: Item, **fields: Any) -> dict[str, Any]:
    """What is sent to change a service."""
    return {"type": "service", "escalation_policy": service.document["escalation_policy"], **fields}


def restored(rest: RestClient, items: list[Item], folder: Path) -> Any:
    restorer = restorer_of(rest)
    return restorer.apply(restorer.plan(items), FileJournal(folder / "journal"), silent)


def test_what_has_not_changed_is_left(rest: RestClient, items: list[Item], tmp_path: Path) -> None:
    outcome = restored(rest, items, tmp_path)

    assert (outcome.created, outcome.changed, outcome.differences) == (0, 0, ())


def test_what_was_renamed_gets_its_name_back_and_keeps_its_id(
    rest: RestClient, items: list[Item], tmp_path: Path
) -> None:
    service = one(items, "services")
    rest.services.update(service.id, changed(service, name="renamed", status="disabled"))

    restored(rest, items, tmp_path)

    assert rest.services.get(service.id)["name"] == service.document["name"]
    assert not list(differences(items, read(rest)))


def test_what_was_removed_is_made_again_with_a_key_of_its_own(
    rest: RestClient, items: list[Item], tmp_path: Path
) -> None:
    service, door = one(items, "services"), one(items, "integrations")
    rest.services.integrations_of(door.document["service"]["id"]).delete(door.id)

    plan = restorer_of(rest).plan(items)
    outcome = restored(rest, items, tmp_path)

    (made,) = [change for change in plan.changes if change.verb == "create"]
    assert (made.kind, made.why) == ("integrations", "it gets a new key: give that to whoever sends with the old one")
    assert (outcome.created, outcome.differences) == (1, ())
    assert [one["name"] for one in rest.services.integrations(service.id)] == ["Events API V2"]


def test_a_layer_that_was_added_ends_now(rest: RestClient, items: list[Item], tmp_path: Path) -> None:
    schedule = one(items, "schedules")
    raw = rest.schedules.v2.get(schedule.id)
    more = {**schedule.document["schedule_layers"][0], "name": "more"}
    del more["id"]
    rest.schedules.v2.update(
        schedule.id, {"type": "schedule", "time_zone": raw["time_zone"], "schedule_layers": [more]}
    )

    outcome = restored(rest, items, tmp_path)

    layers = rest.schedules.v2.get(schedule.id)["schedule_layers"]
    assert [layer["name"] for layer in layers if layer["end"]] == ["more"]
    assert [(one.kind, one.fields) for one in outcome.differences] == [("schedules", ("schedule_layers",))]


def test_what_was_added_stays(rest: RestClient, items: list[Item], tmp_path: Path) -> None:
    team = rest.teams.create({"type": "team", "name": "new"})

    plan = restorer_of(rest).plan(items)
    restored(rest, items, tmp_path)

    stays = [(change.verb, change.kind, change.id, change.why) for change in plan.changes if change.why]
    assert stays == [("leave", "teams", team["id"], "not in the backup; it stays")]
    assert rest.teams.get(team["id"])["name"] == "new"


def test_rules_that_were_written_since_are_emptied(rest: RestClient, items: list[Item], tmp_path: Path) -> None:
    orchestration, service = one(items, "event_orchestrations"), items_without_rules(items)
    rules = {"sets": [{"id": "start", "rules": [{"actions": {"suppress": True}}]}], "catch_all": {"actions": {}}}
    rest.orchestrations.replace_rules(orchestration.id, "unrouted", rules)
    rest.orchestrations.replace_service_rules(service, rules)

    outcome = restored(rest, items, tmp_path)

    assert (outcome.changed, outcome.differences) == (2, ())
    assert rest.orchestrations.rules(orchestration.id, "unrouted")["sets"] == [{"id": "start", "rules": []}]
    assert rest.orchestrations.service_rules(service)["sets"] == [{"id": "start", "rules": []}]


def test_a_service_goes_back_to_the_grouping_it_shared(rest: RestClient, items: list[Item], tmp_path: Path) -> None:
    setting = one(items, "alert_grouping_settings")
    service = setting.document["services"][0]["id"]
    own = {"type": "time", "config": {"timeout": 120}}
    policy = rest.services.get(service)["escalation_policy"]
    changes = {"type": "service", "escalation_policy": policy, "alert_grouping_parameters": own}
    rest.services.update(service, changes)  # and so it leaves the setting

    outcome = restored(rest, items, tmp_path)

    assert outcome.differences == ()
    assert [one["id"] for one in rest.alert_grouping.get(setting.id)["services"]] == [service]


def items_without_rules(items: list[Item]) -> str:
    """The id of a service that has no rules of its own."""
    having = {item.id for item in items if item.kind == "service_orchestrations"}
    return next(item.id for item in items if item.kind == "services" and item.id not in having)


def test_a_second_restore_changes_nothing(rest: RestClient, items: list[Item], tmp_path: Path) -> None:
    rest.users.update(one(items, "users").id, {"type": "user", "name": "Somebody", "email": "somebody@example.com"})
    restored(rest, items, tmp_path)

    outcome = restored(rest, items, tmp_path)

    assert (outcome.created, outcome.changed, outcome.differences) == (0, 0, ())
    assert by_kind(read(rest)) == by_kind(items)
