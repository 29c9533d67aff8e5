"""Backups of Tocsin's own state: what is open, its timers and rules come back to a machine that has nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from tasks.backups.service import PartlyBackedUpError
from tests.acceptance.backup_world import BackupWorld
from tests.acceptance.sync_world import PRIMARY, STANDBY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

STATE = ["state"]
BOT = "bot@example.com"


@pytest.fixture
def world(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[BackupWorld]:
    with BackupWorld(tmp_path, server.url, sandbox) as made:
        yield made


def test_open_alerts_and_their_timers_come_back_to_an_empty_machine(world: BackupWorld) -> None:
    world.send("trigger", "a", "b")
    world.advance(120)
    world.runtime.backups.service.create(STATE)
    world.lose_the_machine()

    report = world.restore("state")

    assert report.differences == []
    assert (world.status("a"), world.status("b")) == ("open", "open")
    assert world.due_in("a") == 480


def test_a_restored_alert_is_resolved_where_it_is_open(world: BackupWorld) -> None:
    world.sandbox.fault(kind="reject", status=403, key=PRIMARY)
    world.send("trigger", "a")
    world.sandbox.heal()
    world.runtime.backups.service.create(STATE)
    world.lose_the_machine()
    world.restore("state")

    world.send("resolve", "a")

    assert world.open_there() == {}
    assert [entry["routing_key"] for entry in world.sandbox.log() if entry["event_action"] == "resolve"] == [STANDBY]


def test_a_restored_alert_escalates_when_its_time_comes(world: BackupWorld) -> None:
    world.send("trigger", "a")
    world.runtime.backups.service.create(STATE)
    world.lose_the_machine()
    world.restore("state")
    world.sandbox.clear_log()

    assert world.steps() == 0
    world.advance(601)
    assert world.steps() == 1
    assert [entry["routing_key"] for entry in world.sandbox.log()] == [STANDBY]


def test_an_alert_whose_policy_was_forgotten_before_it_was_read_comes_back_without_a_timer_and_spoils_no_others(
    world: BackupWorld,
) -> None:
    world.send("trigger", "a")
    world.runtime.client.delete(world.runtime.keys.policies)
    world.runtime.backups.service.create(STATE)
    world.lose_the_machine()
    world.restore("state")
    assert (world.status("a"), world.due_in("a")) == ("open", None)

    world.send("trigger", "b")
    world.advance(601)

    assert world.steps() == 1


def test_what_was_due_meanwhile_waits_a_minute_for_the_comparison_with_pagerduty(world: BackupWorld) -> None:
    world.send("trigger", "a", "b")
    world.sync()
    world.runtime.backups.service.create(STATE)
    world.runtime.rest.incidents.resolve(world.incident("a")["id"], sender=BOT)
    world.advance(3600)
    world.lose_the_machine()
    world.restore("state")
    assert (world.due_in("a"), world.due_in("b")) == (60, 60)

    world.sync()
    world.advance(61)

    assert (world.status("a"), world.due_in("a")) == ("resolved", None)
    assert world.steps() == 1


def test_an_answer_after_the_restore_finds_its_alert(world: BackupWorld) -> None:
    world.send("trigger", "a")
    world.sync()
    world.runtime.backups.service.create(STATE)
    world.lose_the_machine()
    world.restore("state")
    world.runtime.rest.incidents.acknowledge(world.incident("a")["id"], sender=BOT)

    world.sync()

    assert world.status("a") == "acknowledged"
    assert world.due_in("a") == math.inf


def test_silences_and_dead_letters_come_back(world: BackupWorld) -> None:
    silence = _silence(world)
    world.runtime.alerts.submit("bad", [{"service": "shop", "event_action": "shout"}])
    world.runtime.backups.service.create(STATE)
    world.lose_the_machine()

    world.restore("state")

    assert [one.id for one in world.runtime.silences.list()] == [silence]
    assert [letter.reason for letter in world.runtime.dead_letters.list().dead_letters] == ["invalid"]


def test_what_is_known_here_is_newer_and_stays_as_it_is(world: BackupWorld) -> None:
    world.send("trigger", "a")
    world.runtime.backups.service.create(STATE)
    world.send("acknowledge", "a")

    plan = world.planned("state")
    report = world.restore("state")

    assert {verb for verb, _ in plan} <= {"leave", "cannot"}
    assert report.created == 0
    assert world.status("a") == "acknowledged"


def test_a_restore_that_is_done_twice_does_nothing_the_second_time(world: BackupWorld) -> None:
    world.send("trigger", "a")
    world.runtime.backups.service.create(STATE)
    world.lose_the_machine()
    world.restore("state")
    before = world.client.xlen(world.keys.ledger)

    assert world.restore("state").created == 0
    assert world.client.xlen(world.keys.ledger) == before


def test_what_nobody_was_told_of_is_not_taken_for_told(world: BackupWorld) -> None:
    world.submit("trigger", "a")
    world.runtime.alerts.drain_inbox()
    world.runtime.backups.service.create(STATE)
    world.lose_the_machine()
    world.restore("state")

    world.send("trigger", "a")

    assert list(world.open_there()) == ["a"]


def test_the_ledger_goes_on_and_the_proof_holds_but_for_what_was_lost(world: BackupWorld) -> None:
    world.send("trigger", "a")
    world.runtime.audit.seal()
    world.runtime.backups.service.create(STATE)
    world.lose_the_machine()
    world.restore("state")
    world.runtime.epochs.ask()
    world.send("trigger", "b")
    world.runtime.audit.seal()

    proof = world.runtime.audit.prove()

    assert proof.broken_count == 0
    assert world.runtime.audit.verify().holds
    assert len(proof.losses) == 1


def test_a_group_that_is_restored_tells_its_place_when_all_is_over(world: BackupWorld) -> None:
    world.send("trigger", "a", service="crowd", team="web")
    world.runtime.delivery.digest()
    world.work()
    assert len(world.open_there()) == 1
    world.runtime.backups.service.create(STATE)
    world.lose_the_machine()
    world.restore("state")

    world.send("resolve", "a", service="crowd")
    world.advance(60)
    world.runtime.delivery.digest()
    world.work()

    assert world.open_there() == {}


def _silence(world: BackupWorld) -> str:
    from tasks.alerts.models import SilenceDraft

    draft = SilenceDraft(matchers=["component=disk"], duration_seconds=3600, author="ada", comment="moving")
    return str(world.runtime.silences.create(draft).id)


def test_while_the_account_cannot_be_read_the_other_parts_are_backed_up_and_it_is_told(world: BackupWorld) -> None:
    world.sandbox.fault(kind="reject", status=401, path="/abilities")

    with pytest.raises(PartlyBackedUpError, match="the part account is not in it"):
        world.runtime.backups.service.create_or_fail()

    [made] = world.runtime.backups.service.list()
    assert made.parts.keys() == {"state", "config"}
