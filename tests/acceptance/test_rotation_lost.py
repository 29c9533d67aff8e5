"""Keys that were rotated after the last backup, on a machine that has nothing but it: they are found at PagerDuty, by their names."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from config.keystore import value_id
from tests.acceptance.recovery_world import step, tocsin
from tests.loss import lose_everything

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.runtime import Runtime
    from tests.acceptance.rotation_world import RotationWorld


def rotate_wholly(world: RotationWorld, machine: Runtime) -> str:
    """A rotation to its end, the former integration deleted; the key in force."""
    machine.tokens.rotate("integration")
    for _ in range(3):
        world.pass_by()
        machine.tokens.service.resume()
    [left] = world.integrations()
    return str(left["integration_key"])


def lose_machines(world: RotationWorld, kept: Path | None = None) -> Runtime:
    """Redis and both machines are gone; a new one has the configured key, and the keystore of a backup where there is one."""
    lose_everything(world.here.client, world.here.keys)
    if kept is not None:
        folder = world._folder / "new" / "security"
        folder.mkdir(parents=True)
        shutil.copy(kept, folder / "keystore.json")
    return world.machine("new")


def in_force(machine: Runtime) -> str:
    machine.renew_at_once()
    channel: Any = machine.settings.services["shop"].channels[0]
    return value_id(channel.routing_key.get_secret_value())


def test_a_key_rotated_after_the_backup_whose_former_integration_is_deleted_is_put_in_force_again(
    rotation: RotationWorld,
) -> None:
    new = rotate_wholly(rotation, rotation.here)
    machine = lose_machines(rotation)
    assert in_force(machine) == value_id(rotation.first_key)

    taken, unmatched = machine.tokens.take_up()
    rotation.send(machine, "trigger", "fresh")

    assert ([(one.former, one.key) for one in taken], unmatched) == (
        [(value_id(rotation.first_key), value_id(new))],
        [],
    )
    assert in_force(machine) == value_id(new)
    assert ("trigger", "fresh", new, 202) in rotation.outcomes()
    assert machine.tokens.take_up() == ([], [])
    assert machine.tokens.service.underway() == []


def test_a_key_rotated_before_the_backup_and_again_after_it_is_found_too(
    rotation: RotationWorld, tmp_path: Path
) -> None:
    rotate_wholly(rotation, rotation.here)
    kept = tmp_path / "keystore.json"
    shutil.copy(rotation._folder / "here" / "security" / "keystore.json", kept)
    rotation.here.tokens.rotate("integration", in_force(rotation.here))
    for _ in range(3):
        rotation.pass_by()
        rotation.here.tokens.service.resume()
    [last] = rotation.integrations()
    machine = lose_machines(rotation, kept)

    [taken] = machine.tokens.take_up()[0]
    rotation.send(machine, "trigger", "fresh")

    assert taken.key == value_id(last["integration_key"])
    assert ("trigger", "fresh", last["integration_key"], 202) in rotation.outcomes()


def test_a_rotation_that_was_under_way_goes_on_and_what_either_key_opened_still_ends(rotation: RotationWorld) -> None:
    rotation.send(rotation.here, "trigger", "old")
    rotation.here.tokens.rotate("integration")
    rotation.send(rotation.here, "trigger", "new")
    machine = lose_machines(rotation)

    machine.tokens.take_up()
    machine.incident_sync.run()
    for key in ("old", "new"):
        rotation.send(machine, "resolve", key)

    assert {one["status"] for one in rotation.sandbox.incidents()} == {"resolved"}
    for _ in range(3):
        rotation.pass_by()
        machine.tokens.service.resume()
    assert [value_id(one["integration_key"]) for one in rotation.integrations()] == [in_force(machine)]


def test_where_nothing_tells_what_took_its_place_the_refused_key_is_named_and_nothing_is_guessed(
    rotation: RotationWorld,
) -> None:
    rotate_wholly(rotation, rotation.here)
    [left] = rotation.integrations()
    path = f"/services/{rotation.service_id}/integrations/{left['id']}"
    rotation.ask(
        "PUT", path, integration={**left, "name": "Tocsin [tocsin 0a1b2c3d]"}
    )  # as marks were before they told it
    machine = lose_machines(rotation)

    taken, [unmatched] = machine.tokens.take_up()

    assert (taken, unmatched.key) == ([], value_id(rotation.first_key))
    assert left["id"] in unmatched.candidates[0]
    assert in_force(machine) == value_id(rotation.first_key)


def copied_elsewhere(world: RotationWorld) -> str:
    """An integration of another service that bears the name of ours, as a copy of the service has it; its id."""
    world.pass_by(1)  # it is the newest
    policy = world.ask("GET", f"/services/{world.service_id}")["service"]["escalation_policy"]
    body = {"type": "service", "name": "a copy", "escalation_policy": policy}
    other = world.ask("POST", "/services", service=body)["service"]["id"]
    ours = world.integrations()[-1]
    copy = {"type": ours["type"], "name": ours["name"]}
    return str(world.ask("POST", f"/services/{other}/integrations", integration=copy)["integration"]["id"])


def test_an_integration_elsewhere_whose_name_was_copied_takes_no_alerts(rotation: RotationWorld) -> None:
    rotation.here.tokens.rotate("integration")
    new = in_force(rotation.here)
    copied_elsewhere(rotation)
    machine = lose_machines(rotation)

    [taken], unmatched = machine.tokens.take_up()

    assert (taken.key, unmatched, in_force(machine)) == (new, [], new)


def test_where_a_copied_name_leaves_two_services_to_choose_from_a_person_chooses(rotation: RotationWorld) -> None:
    rotate_wholly(rotation, rotation.here)
    [left] = rotation.integrations()
    copy = copied_elsewhere(rotation)
    machine = lose_machines(rotation)

    taken, [unmatched] = machine.tokens.take_up()

    assert (taken, in_force(machine)) == ([], value_id(rotation.first_key))
    assert [words.split()[1] for words in unmatched.candidates] == [left["id"], copy]


def test_what_a_new_key_opened_is_known_again_by_a_process_that_compared_before_the_rotation(
    rotation: RotationWorld,
) -> None:
    rotation.here.incident_sync.run()
    rotation.here.tokens.rotate("integration")
    rotation.send(rotation.here, "trigger", "new")
    rotation.pass_by(60)
    lose_everything(rotation.here.client, rotation.here.keys)
    rotation.here.epochs.ask()
    rotation.here.renew_at_once()

    assert rotation.here.incident_sync.run().rebuilt == 1


def test_a_recovery_puts_the_key_in_force_before_it_compares_and_says_so(
    rotation: RotationWorld, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    (config / "services").mkdir(parents=True)
    (config / "pagerduty.yaml").write_text("default_service: shop\n")
    shutil.copy(rotation._folder / "services" / "shop.yaml", config / "services")
    folders = {"TOCSIN_CONFIG_DIR": str(config), "TOCSIN_BACKUPS__FOLDER": str(tmp_path / "backups")}
    here, new = ({**rotation.environ, **rotation._of_machine(name), **folders} for name in ("here", "new"))
    assert tocsin(here, "backups", "create", "--part", "state", "--part", "config").returncode == 0
    key = rotate_wholly(rotation, rotation.here)
    rotation.send(rotation.here, "trigger", "since")
    rotation.pass_by(60)
    lose_everything(rotation.here.client, rotation.here.keys)
    shutil.rmtree(config)

    found = tocsin(new, "recover", "--yes", "--json")

    report = json.loads(found.stdout)
    assert found.returncode == 0, found.stderr
    assert f"integration key {value_id(key)} (shop via primary) took the place of" in step(report, "keys")
    assert "1 opened since the backup, and known again" in step(report, "sync")
    assert not any("events." in one for one in report["todo"])
