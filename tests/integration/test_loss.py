"""The loss of Redis: noticed by whoever knew it before, told at once, and said in a proof."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tasks.alerts.models import SilenceDraft
from tasks.audit.epochs import EpochWatch
from tasks.audit.service import AuditRules, AuditService
from tests.integration.own_kit import Fleet, Town
from tests.loss import lose_everything
from tests.pipeline import alert
from workers.pump import Pump

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox
    from tests.pipeline import Pipeline


@pytest.fixture
def audit(client: Any, keys: Keys, tmp_path: Path) -> AuditService:
    return AuditService(client, keys, AuditRules(tmp_path, (b"k" * 32,)))


def losses(client: Any, keys: Keys) -> list[str]:
    """The data sets the ledger says are lost."""
    return [entry["r"] for _, entry in client.xrange(keys.ledger) if entry["s"] == "lost"]


def test_a_new_installation_does_not_cry(client: Any, keys: Keys, tmp_path: Path) -> None:
    watch = EpochWatch(client, keys, tmp_path)

    assert not watch.ask()
    assert not watch.ask()
    assert not EpochWatch(client, keys, tmp_path).ask()
    assert losses(client, keys) == []
    assert not client.exists(keys.loss)


def test_a_flush_is_said_once_however_many_notice_it(client: Any, keys: Keys, tmp_path: Path) -> None:
    here, there = EpochWatch(client, keys, tmp_path / "here"), EpochWatch(client, keys, tmp_path / "there")
    here.ask(), there.ask()
    old = client.get(keys.epoch)
    lose_everything(client, keys)

    assert here.ask()
    assert there.ask()

    assert not here.ask()
    assert losses(client, keys) == [old]
    assert client.hget(keys.loss, "epoch") == client.get(keys.epoch)
    [hint] = client.lrange(keys.queue("escalation"), 0, -1)
    assert json.loads(hint)["headers"]["task"] == "incidents.sync"


def test_whoever_has_the_note_of_what_was_pending_adds_it(
    audit: AuditService, pipeline: Pipeline, client: Any, keys: Keys, tmp_path: Path
) -> None:
    restored: list[str] = []
    delivers = EpochWatch(client, keys, tmp_path / "another machine")
    seals = EpochWatch(client, keys, tmp_path, restored.extend)
    delivers.ask(), seals.ask()
    pipeline.submit(alert("unsent"))
    client.hset(keys.rules, "r1", "a silence")
    audit.seal()
    lose_everything(client, keys)

    delivers.ask()
    before = client.hget(keys.loss, "pending")
    seals.ask()

    assert (before, client.hget(keys.loss, "pending"), restored) == ("", "1", ["a silence"])
    assert len(losses(client, keys)) == 1


def test_whoever_was_down_meanwhile_knows_it_from_its_file(client: Any, keys: Keys, tmp_path: Path) -> None:
    EpochWatch(client, keys, tmp_path).ask()
    lose_everything(client, keys)

    assert EpochWatch(client, keys, tmp_path).ask()


def test_whoever_comes_later_does_not_say_it_again(client: Any, keys: Keys, tmp_path: Path) -> None:
    EpochWatch(client, keys, tmp_path).ask()
    lose_everything(client, keys)
    EpochWatch(client, keys, tmp_path).ask()

    assert not EpochWatch(client, keys, tmp_path).ask()
    assert len(losses(client, keys)) == 1


def test_a_second_loss_soon_after_is_another_one(client: Any, keys: Keys, tmp_path: Path) -> None:
    watch = EpochWatch(client, keys, tmp_path)
    watch.ask()
    lose_everything(client, keys)
    watch.ask()
    second = client.get(keys.epoch)
    lose_everything(client, keys)

    assert watch.ask()
    assert losses(client, keys) == [second]
    assert len((tmp_path / "epochs.jsonl").read_text().splitlines()) == 3


def test_an_installation_from_before_names_were_kept_knows_it_by_its_anchors(
    audit: AuditService, pipeline: Pipeline, client: Any, keys: Keys, tmp_path: Path
) -> None:
    pipeline.submit(alert())
    audit.seal()
    lose_everything(client, keys)

    assert EpochWatch(client, keys, tmp_path).ask()
    assert losses(client, keys) == [""]


def test_an_installation_that_goes_on_as_before_does_not_cry_after_an_upgrade(
    audit: AuditService, pipeline: Pipeline, client: Any, keys: Keys, tmp_path: Path
) -> None:
    client.set(keys.epoch, "1700000000000")
    pipeline.submit(alert())
    audit.seal()

    assert not EpochWatch(client, keys, tmp_path).ask()


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "after a task of its process"])
def test_the_pump_binds_celerys_queues_anew(client: Any, keys: Keys, tmp_path: Path, *, is_first: bool) -> None:
    bound: list[bool] = []
    watch = EpochWatch(client, keys, tmp_path)
    pump = Pump(client, keys, watch, lambda: bound.append(True))
    pump.look()
    assert bound == []
    lose_everything(client, keys)

    assert is_first or watch.ask()
    pump.look()
    pump.look()

    assert bound == [True]


def test_a_folder_that_takes_no_files_makes_nobody_blind(client: Any, keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    watch = EpochWatch(client, keys, tmp_path / "file" / "folder")
    watch.ask()
    lose_everything(client, keys)

    assert watch.ask()


@pytest.fixture
def town(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[Town]:
    with Town(tmp_path, server.url, sandbox) as made:
        yield made


def test_people_are_told_at_the_first_look(town: Town, clock: MovableClock) -> None:
    fleet = Fleet(town, clock)
    fleet.runtime.epochs.ask()
    fleet.watch(3)
    lose_everything(fleet.runtime.client, fleet.runtime.keys)
    began = time.monotonic()
    assert fleet.runtime.epochs.ask()

    fleet.watch(1)

    assert town.told("redis_lost") == [("page", "trigger")]
    assert time.monotonic() - began < 10
    [told] = [one for one in fleet.runtime.own_alerts.report().alerts if one.name == "redis_lost"]
    assert told.summary.startswith("Redis lost everything, noticed at ")
    fleet.watch(370)
    assert town.told("redis_lost") == [("page", "trigger"), ("page", "resolve")]


def test_silences_are_in_force_again_after_the_loss(town: Town, clock: MovableClock) -> None:
    fleet = Fleet(town, clock)
    runtime = fleet.runtime
    runtime.epochs.ask()
    asked = {"author": "ann", "comment": "planned", "duration_seconds": 3600}
    silence = runtime.silences.create(SilenceDraft(matchers=["source=web1"], **asked))
    over = runtime.silences.create(SilenceDraft(matchers=["source=web2"], **asked))
    runtime.silences.expire(over.id, "bob")
    fleet.submit("before")
    runtime.audit.seal()
    lose_everything(runtime.client, runtime.keys)
    runtime.epochs.ask()

    [event] = fleet.submit("after")
    fleet.work()

    assert runtime.client.hget(runtime.keys.event(event), "state") == "suppressed"
    assert [one.id for one in runtime.silences.list()] == [silence.id]


def test_rules_of_a_data_set_before_are_not_taken_for_those_of_now(town: Town, clock: MovableClock) -> None:
    fleet = Fleet(town, clock)
    runtime = fleet.runtime
    runtime.epochs.ask()
    asked = {"author": "ann", "comment": "planned", "duration_seconds": 3600}
    runtime.silences.create(SilenceDraft(matchers=["source=web2"], **asked))
    fleet.submit("before")
    lose_everything(runtime.client, runtime.keys)
    runtime.epochs.ask()
    runtime.silences.create(SilenceDraft(matchers=["source=web1"], **asked))

    [event] = fleet.submit("after")

    assert runtime.client.hget(runtime.keys.event(event), "state") == "suppressed"
