"""The alert's way on the sandbox, with the movable clock."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tasks.notifications.dead_letters import DeadLetters
from tasks.notifications.letter_care import LetterCare
from tests.acceptance.escalation_world import Tower
from tests.acceptance.group_world import GroupKit, at_desk
from tests.acceptance.recover_site import Site
from tests.acceptance.recovery_world import variables
from tests.acceptance.rekey_world import RekeyWorld, Victim
from tests.acceptance.rotation_world import RotationWorld
from tests.acceptance.routed import Fleet
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, Pipeline
from workers.cli.authority import _allowed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox


@pytest.fixture
def pipeline(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[Pipeline]:
    sandbox.register(PRIMARY_KEY, "Shop")
    sandbox.register(STANDBY_KEY, "Shop standby")
    pipeline = Pipeline(client, keys, sandbox.url)
    yield pipeline
    pipeline.delivery.close()


@pytest.fixture
def fleet(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path, server.url, sandbox)
    yield fleet
    fleet.close()


@pytest.fixture
def desk(client: Any, keys: Keys, sandbox: Sandbox, tmp_path: Path) -> Iterator[GroupKit]:
    sandbox.register(PRIMARY_KEY, "Shop")
    kit = at_desk(GroupKit, client, keys, sandbox.url, tmp_path)
    yield kit
    kit.delivery.close()


@pytest.fixture
def tower(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[Tower]:
    sandbox.register(PRIMARY_KEY, "Shop")
    sandbox.register(STANDBY_KEY, "Shop standby")
    tower = Tower(client, keys, sandbox.url)
    yield tower
    tower.delivery.close()


@pytest.fixture
def letters(client: Any, keys: Keys) -> DeadLetters:
    return DeadLetters(client, keys)


@pytest.fixture
def care(client: Any, keys: Keys) -> LetterCare:
    return LetterCare(client, keys)


@pytest.fixture
def rotation(
    client: Any, server: Server, sandbox: Sandbox, clock: MovableClock, tmp_path: Path
) -> Iterator[RotationWorld]:
    del client  # the server is empty
    world = RotationWorld(tmp_path, server.url, sandbox, clock)
    yield world
    world.close()


@pytest.fixture
def rekeying(
    client: Any, server: Server, sandbox: Sandbox, clock: MovableClock, tmp_path: Path
) -> Iterator[RekeyWorld]:
    del client  # the server is empty
    world = RekeyWorld(tmp_path, server.url, sandbox, clock)
    yield world
    world.close()


@pytest.fixture
def victim(rekeying: RekeyWorld) -> Iterator[Victim]:
    made = Victim(rekeying)
    yield made
    made.close()


@pytest.fixture
def site(
    client: Any, keys: Keys, server: Server, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    for name in [name for name in os.environ if name.startswith(("TOCSIN_", "PAGERDUTY_"))]:
        monkeypatch.delenv(name)
    folders = variables(tmp_path / "state", tmp_path / "backups", tmp_path / "config")
    environ = {
        **folders,
        "REDIS_URL": server.url,
        "PAGERDUTY_API_URL": sandbox.url,
        "PAGERDUTY_EVENTS_URL": sandbox.url,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    _allowed.clear()  # each test is a process of its own to it
    site = Site(tmp_path, environ, client, keys)
    yield site
    site.runtime.client.close()
