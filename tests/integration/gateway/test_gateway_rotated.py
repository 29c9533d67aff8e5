"""A gateway takes rotated keys up while it runs."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from config.keystore import KeyValue, StoredKey
from config.settings import load
from tasks.rotating import RotationWiring
from tasks.runtime import Runtime
from tasks.tokens.service import AccessTokens
from tasks.tokens.wiring import token_rules
from tests.fleet import Fleet
from workers.gateway.rotated import RotatedKeys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.keystore import Kind
    from config.models import Settings

INGEST = "ingest".ljust(32, "0")
WITHIN = 3.0  # seconds; every process looks once a second


class GatewayFleet(Fleet):
    """A gateway, and a shell on the same installation that lets no time pass."""

    def shell(self) -> Runtime:
        runtime = Runtime(load(environ={**self.environment, "TOCSIN_STATE_DIR": str(self.folder / "elsewhere")}))
        runtime.tokens = RotationWiring(runtime, lambda _: None)
        return runtime

    def rotate(self, kind: Kind) -> tuple[Runtime, str]:
        """The shell that has rotated a key, and the new key."""
        shell = self.shell()
        [rotated] = shell.tokens.rotate(kind).rotations
        return shell, shell.tokens.service.reveal(kind, rotated.key)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayFleet]:
    folder: Path = tmp_path_factory.mktemp("rotated")
    (folder / "config" / "services").mkdir(parents=True)
    (folder / "config" / "pagerduty.yaml").write_text("default_service: shop\n")
    channels = "channels: [{name: page, routing_key: sandboxrotated000000000000000000}]\n"
    (folder / "config" / "services" / "shop.yaml").write_text(f"ingest_keys: [{INGEST}]\n{channels}")
    secrets = {"ENCRYPTION_KEY": "A" * 43 + "=", "JWT_SECRET": "s" * 40}
    with GatewayFleet(folder, TOCSIN_CONFIG_DIR=str(folder / "config"), **secrets) as fleet:
        fleet.url = fleet.start_gateway()
        yield fleet


def status(fleet: GatewayFleet, key: str) -> int:
    body: dict[str, Any] = {"routing_key": key, "event_action": "resolve", "dedup_key": "a"}
    return httpx.post(f"{fleet.url}/v2/enqueue", json=body).status_code


def test_a_new_ingest_key_is_taken_within_seconds_and_so_is_the_former_one(fleet: GatewayFleet) -> None:
    _, new = fleet.rotate("ingest")
    began = time.monotonic()

    fleet.wait(lambda: status(fleet, new) == 202, WITHIN, "the gateway does not take the new key")

    assert time.monotonic() - began < WITHIN
    assert status(fleet, INGEST) == 202
    assert status(fleet, "n" * 32) == 400


def test_which_ingest_keys_are_in_use_is_seen(fleet: GatewayFleet) -> None:
    shell = fleet.shell()
    status(fleet, INGEST)

    def used() -> list[str]:
        return [key.id for key in shell.tokens.known() if key.kind == "ingest" and key.last_used_seconds is not None]

    fleet.wait(used, WITHIN, "nobody has seen that the key was used")


def test_tokens_signed_with_a_new_secret_are_taken_within_seconds(fleet: GatewayFleet) -> None:
    old = AccessTokens(token_rules(fleet.shell().settings)).issue("ada", ["alerts:read"], timedelta(hours=1))
    shell, _ = fleet.rotate("jwt")
    new = AccessTokens(token_rules(shell.settings)).issue("ada", ["alerts:read"], timedelta(hours=1))

    def code(token: str) -> int:
        return httpx.get(f"{fleet.url}/api/v1/alerts", headers={"Authorization": f"Bearer {token}"}).status_code

    fleet.wait(lambda: code(new) == 200, WITHIN, "the gateway does not take tokens of the new secret")
    assert code(old) == 200


def test_keys_that_the_heart_took_up_first_are_in_force_all_the_same(fleet: GatewayFleet) -> None:
    runtime = Runtime(load(environ={**fleet.environment}))
    key = StoredKey(kind="webhook", base="a", values=(KeyValue(id="a", state="current", sealed=""),))
    turned: list[Settings] = []

    async def looked() -> None:
        rotated = RotatedKeys(runtime, turned.append, list)
        await rotated.start()
        await asyncio.to_thread(runtime.keystore.put, key)
        await asyncio.to_thread(runtime.renew_at_once)  # as the heart's thread does
        await asyncio.to_thread(
            fleet.wait, lambda: turned and turned[-1] is runtime.settings, WITHIN, "the gateway has former keys"
        )
        await rotated.close()

    asyncio.run(looked())
