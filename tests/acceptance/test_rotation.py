"""Keys are replaced while alerts flow: no delivery fails, and what a key opened ends with that key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from config.keystore import value_id
from tests.acceptance.rotation_world import RotationWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox


@pytest.fixture
def world(
    client: Any, server: Server, sandbox: Sandbox, clock: MovableClock, tmp_path: Path
) -> Iterator[RotationWorld]:
    del client  # the server is empty
    world = RotationWorld(tmp_path, server.url, sandbox, clock)
    yield world
    world.close()


def test_an_integration_key_is_replaced_and_the_former_one_goes_once_its_alerts_have_ended(world: RotationWorld) -> None:
    world.send(world.here, "trigger", "old")
    first = world.first_key

    [begun] = world.here.tokens.rotate("integration").rotations
    world.send(world.here, "trigger", "new")

    assert begun.step == "wait_unused"
    assert len(world.integrations()) == 2
    new = next(one["integration_key"] for one in world.integrations() if one["integration_key"] != first)
    world.pass_by()
    [waiting] = world.here.tokens.service.resume().rotations
    assert "1 alerts are open" in waiting.waits
    world.send(world.here, "resolve", "old")
    world.send(world.here, "resolve", "new")
    world.here.tokens.service.resume()
    world.pass_by()
    [ended] = world.here.tokens.service.resume().rotations
    assert ended.step == "done"
    assert [one["integration_key"] for one in world.integrations()] == [new]
    sent = [one for one in world.outcomes() if one[1] in ("old", "new")]
    assert sent == [
        ("trigger", "old", first, 202),
        ("trigger", "new", new, 202),
        ("resolve", "old", first, 202),
        ("resolve", "new", new, 202),
    ]
    assert value_id(world.here.settings.services["shop"].channels[0].routing_key.get_secret_value()) == value_id(new)
