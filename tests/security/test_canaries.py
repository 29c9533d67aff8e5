"""Secrets planted everywhere, a fleet run through good and bad luck, and then everything it wrote is searched for them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.redis_dump import everything
from tests.security.canaries import Canaries
from tests.security.canary_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_THE_SERVER = (
    "server/url",
    "server/valkey.conf",
    "server/redis.conf",
)  # the embedded server's own, readable by its owner only


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("canaries"), Canaries()) as world:
        world.live()
        yield world


def traces(world: World, places: dict[str, bytes], **more: str) -> list[str]:
    """Which secrets stand where."""
    password = urlsplit(world.fleet.server.url).password or ""
    wanted = {"Redis' password": password, **more}
    return [
        f"{what} in {place}" for place, data in places.items() for what in world.canaries.found_in(data, more=wanted)
    ]


def test_what_is_looked_for_is_found_in_every_form() -> None:
    canaries, secret = Canaries(), "geheimgeheimgeheim"
    forms = [
        secret,
        *("b64:" + base64.b64encode(("y" * n + secret + "z").encode()).decode() for n in range(3)),
    ]

    assert all("x" in canaries.found_in(form.encode(), more={"x": secret}) for form in forms)


def test_it_all_took_place(world: World) -> None:
    """Else nothing found would mean nothing."""
    dead = world.fleet.client.zcard(world.fleet.keys.dead)
    to_pagerduty = str(world.fleet.sandbox.control("GET", "/exchanges?of=events&since=0")["exchanges"])

    assert world.canaries["field of an alert by HTTP"] in to_pagerduty
    assert world.canaries["field of an alert by Celery"] in to_pagerduty
    assert dead >= 4
    assert world.fleet.client.xlen(world.fleet.keys.errors) > 0
    assert "alerts.submit" in world.pages["flower/tasks"] or "alerts.submit" in world.pages["flower/api/tasks"]
    assert "in-the-spool" in world.said["spool"]
    ended = {command.rpartition(" -> ")[2] for command in world.said if command.startswith("tocsin ")}
    assert ended <= {"0", "1", "3", "69", "78"}, world.said.keys()
    assert any("ledger" in name for name in world.files())


def test_no_secret_is_in_redis(world: World) -> None:
    places = {"Redis": everything(world.fleet.client).encode()}

    assert not traces(world, places, **world.canaries.by_celery)


def test_no_secret_is_in_any_file_not_even_in_the_servers_own_log_of_all_it_was_told(world: World) -> None:
    """But for what foreign Celery producers wrote into the queue themselves; see docs/security.md."""
    places = {name: data for name, data in world.files().items() if name not in OF_THE_SERVER}

    assert not traces(world, places)


def test_no_secret_is_in_a_log(world: World) -> None:
    places = {name: data for name, data in world.files().items() if name.endswith(".log")}

    assert {"alert.log", "delivery.log", "gateway.log", "flower.log", "sentinel.log", "beat.log"} <= set(places)
    assert not traces(world, places, **world.canaries.by_celery)


def test_no_secret_is_in_what_commands_say(world: World) -> None:
    places = {name: text.encode() for name, text in world.said.items()}

    assert not traces(world, places, **world.canaries.by_celery)


def test_no_secret_is_on_a_page_or_in_a_metric(world: World) -> None:
    places = {name: text.encode() for name, text in world.pages.items()}

    assert not traces(world, places, **world.canaries.by_celery)


def test_no_secret_is_in_a_process_list(world: World) -> None:
    assert not traces(world, world.command_lines())
