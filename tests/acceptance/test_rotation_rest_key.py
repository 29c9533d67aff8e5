"""A REST key that a person replaces in its file: taken up by itself, never worse than before, and the former one not forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.keystore import value_id
from config.settings import load
from tasks.checking import checks_of
from tasks.runtime import Runtime
from tests.acceptance.rest_world import TOKEN, USER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

NEW = "nEwKeY0123456789wxyz"


class KeyWorld:
    """An account with known keys, and a process whose key comes from a file."""

    def __init__(
        self, folder: Path, redis_url: str, sandbox: Sandbox, clock: MovableClock, patch: pytest.MonkeyPatch
    ) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.file = folder / "rest.key"
        self.allow(TOKEN, NEW)
        self.put(TOKEN)
        environ = {
            "HOME": str(folder),
            "REDIS_URL": redis_url,
            "TOCSIN_STATE_DIR": str(folder / "state"),
            "PAGERDUTY_API_URL": sandbox.url,
            "PAGERDUTY_API_KEY_FILE": str(self.file),
            "PAGERDUTY_FROM_EMAIL": USER,
            "TOCSIN_PAGERDUTY__RETRY_ATTEMPTS": "1",
            "TOCSIN_CONFIG_DIR": str(folder),
            "TOCSIN_DEFAULT_SERVICE": "shop",
        }
        (folder / "services").mkdir()
        channel = f"{{name: page, routing_key: {'sandboxkey'.ljust(32, '0')}}}"
        (folder / "services" / "shop.yaml").write_text(f"channels:\n  - {channel}\n")
        for name, value in environ.items():
            patch.setenv(name, value)
        self.process = Runtime(load())

    def allow(self, *keys: str, **account: Any) -> None:
        """Make PagerDuty know these keys alone."""
        user = {"type": "user", "id": "PBOT001", "name": "Bot", "email": USER}
        self.sandbox.control("PUT", "/account", {"tokens": list(keys), "users": [user], **account})

    def put(self, key: str) -> None:
        """What a person writes into the file."""
        self.file.write_text(key)

    def call(self) -> None:
        """One call of the process."""
        list(self.process.rest.services.list())

    def keys_used(self) -> str:
        """The key the process goes by."""
        return self.process.rest.caller.credentials.header().removeprefix("Token token=")

    def former(self) -> list[str]:
        """The keys that wait to be deleted."""
        return [one.id for one in self.process.tokens.account.former_keys.all()]

    def close(self) -> None:
        """Let go of connections."""
        self.process.rest.close()
        self.process.client.close()


@pytest.fixture
def world(
    tmp_path: Path, server: Server, sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[KeyWorld]:
    made = KeyWorld(tmp_path, server.url, sandbox, clock, monkeypatch)
    yield made
    made.close()


def test_a_key_that_was_replaced_in_its_file_is_used_from_the_next_call_on(world: KeyWorld) -> None:
    world.call()

    world.put(NEW)
    world.call()

    assert world.keys_used() == NEW
    assert [one["status"] for one in world.sandbox.log()] == [200, 200]
    assert world.former() == [value_id(TOKEN)]


def test_a_mistyped_key_does_not_count_while_the_former_one_is_taken(world: KeyWorld) -> None:
    world.call()

    world.put("mIsTyPeD0123456789ab")
    world.call()
    world.call()
    assert world.keys_used() == TOKEN
    assert world.former() == []

    world.put(NEW)
    world.call()
    assert world.keys_used() == NEW
    assert [one["status"] for one in world.sandbox.log()] == [200, 401, 200, 200, 200]


def test_a_file_that_is_just_being_written_is_read_again(world: KeyWorld) -> None:
    world.call()

    world.put("")
    world.call()
    world.put(NEW)
    world.call()

    assert world.keys_used() == NEW


def test_the_former_key_is_told_until_pagerduty_refuses_it(world: KeyWorld) -> None:
    world.call()
    world.put(NEW)

    world.call()
    [line] = world.process.tokens.account.former_lines()
    assert line.state == "warn"
    assert f"REST key {value_id(TOKEN)} (…{TOKEN[-4:]}), replaced" in line.value
    assert "PagerDuty took it" in line.value
    assert "nothing was changed with it since" in line.value
    assert f"`tocsin tokens gone {value_id(TOKEN)}`" in line.mend
    assert TOKEN not in f"{line}"

    world.allow(NEW)
    assert world.process.tokens.account.former_lines() == []
    assert world.former() == []


def test_a_change_made_with_the_former_key_is_told(world: KeyWorld) -> None:
    world.call()
    world.put(NEW)
    world.call()

    world.sandbox.http.post(
        "/users",
        json={"user": {"type": "user", "name": "Ann", "email": "ann@example.com"}},
        headers={"Authorization": f"Token token={TOKEN}", "From": USER},
    ).raise_for_status()

    [line] = world.process.tokens.account.former_lines()
    assert "something was changed with it" in line.value
    assert "create user" in line.value
    assert line.mend.startswith("find who still uses it")


def test_where_the_plan_has_no_audit_trail_that_is_said(world: KeyWorld) -> None:
    world.allow(TOKEN, NEW, abilities=[])
    world.call()
    world.put(NEW)
    world.call()

    [line] = world.process.tokens.account.former_lines()

    assert "whether it is used cannot be known" in line.value


def test_after_a_day_an_own_alert_reminds_until_a_person_says_that_it_is_deleted(world: KeyWorld) -> None:
    world.call()
    world.put(NEW)
    world.call()
    due = world.process.keys.tokens_due
    world.process.tokens.lines()
    assert not world.process.client.hexists(due, "former REST")

    world.clock.advance(timedelta(hours=25))
    world.process.tokens.lines()
    assert value_id(TOKEN) in world.process.client.hget(due, "former REST")

    world.process.tokens.account.former_keys.gone(value_id(TOKEN))
    world.process.tokens.lines()
    assert not world.process.client.hexists(due, "former REST")


def test_health_asks_with_the_key_that_the_file_holds_by_now(world: KeyWorld) -> None:
    world.put(NEW)
    world.allow(NEW)

    check = next(one for one in checks_of(world.process, world.process.client) if one.group == "rest")

    assert {line.name: line.state for line in check.run()}["rest.answer"] == "ok"
