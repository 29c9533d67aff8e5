"""Who asks on behalf of a channel of incidents: the account's key as it stands in its file by now, an app's token, or a key of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.keystore import value_id
from tests.acceptance.rest_world import TOKEN, RestWorld
from tests.acceptance.test_incident_channel import FILE, alert, go
from tests.acceptance.test_rotation_oauth import SECRET, app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.runtime import Runtime
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

NEW = "nEwKeY0123456789wxyz"
OWN = "oWnKeY0123456789wxyz"
SCOPES = {"TOCSIN_PAGERDUTY__OAUTH__SCOPES": "incidents.read incidents.write"}
WITH_KEY = FILE.replace("SERVICE_ID}", f"SERVICE_ID, api_key: {OWN}}}")


class Desk:
    """A process whose REST key comes from a file, and an account that knows which keys there are."""

    def __init__(self, folder: Path, url: str, sandbox: Sandbox, patch: pytest.MonkeyPatch) -> None:
        self.world = RestWorld(folder, url, sandbox)
        self.file = folder / "rest.key"
        self.file.write_text(TOKEN)
        self.world.environ.pop("PAGERDUTY_API_KEY")
        self.world.environ["PAGERDUTY_API_KEY_FILE"] = str(self.file)
        for name, value in {**self.world.environ, "TOCSIN_CONFIG_DIR": str(folder)}.items():
            patch.setenv(name, value)

    def allow(self, *keys: str) -> None:
        """Make PagerDuty take these keys alone."""
        account = self.world.sandbox.control("GET", "/account")
        self.world.sandbox.control("PUT", "/account", {**account, "tokens": list(keys)})

    def statuses(self) -> list[str]:
        """How the incidents stand, as PagerDuty's own people see them."""
        return [one["status"] for one in self.world.incidents()]

    def refused(self) -> int:
        """How many requests PagerDuty refused for their key."""
        return sum(one["status"] == 401 for one in self.world.sandbox.log())


@pytest.fixture
def desk(
    client: Any, server: Server, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    made = Desk(tmp_path, server.url, sandbox, monkeypatch)
    yield made
    made.world.close()


def ledger(runtime: Runtime) -> list[str]:
    """What became of the attempts, all that there were."""
    return [entry["s"] for _, entry in runtime.client.xrange(runtime.keys.ledger)]


def test_a_key_that_is_replaced_in_its_file_is_taken_up_and_what_is_open_is_resolved_with_it(desk: Desk) -> None:
    runtime = desk.world.wire(FILE)
    go(runtime, alert("open"))

    desk.file.write_text(NEW)
    go(runtime, alert("new"))
    go(runtime, alert("open", "resolve"))

    assert desk.statuses() == ["resolved", "triggered"]
    assert "paused" not in ledger(runtime)
    assert [one.id for one in runtime.tokens.account.former_keys.all()] == [value_id(TOKEN)]


def test_a_key_that_came_with_a_restart_resolves_what_the_former_one_opened(desk: Desk) -> None:
    go(desk.world.wire(FILE), alert("open"))
    desk.file.write_text(NEW)

    go(desk.world.wire(FILE), alert("open", "resolve"))

    assert desk.statuses() == ["resolved"]


def test_a_mistyped_key_in_the_file_holds_nothing_up_while_the_former_one_is_taken(desk: Desk) -> None:
    desk.allow(TOKEN)
    runtime = desk.world.wire(FILE)
    desk.file.write_text("mIsTyPeD0123456789ab")

    told = go(runtime, alert())

    assert (told[-1], desk.refused()) == ("sent", 1)
    assert desk.statuses() == ["triggered"]
    go(runtime, alert(action="resolve"))
    assert (desk.statuses(), desk.refused()) == (["resolved"], 1)


def test_what_died_of_a_refused_key_goes_out_with_the_one_that_takes_its_place(desk: Desk, clock: MovableClock) -> None:
    desk.allow(NEW)
    runtime = desk.world.wire(FILE)

    assert go(runtime, alert())[-1] == "dead"
    desk.file.write_text(NEW)
    clock.advance(timedelta(minutes=11))
    runtime.delivery.replay(runtime.client.zrange(runtime.keys.dead, 0, -1))
    runtime.alerts.drain_inbox()
    runtime.delivery.drain()

    desk.allow(NEW, TOKEN)
    assert desk.statuses() == ["triggered"]


def test_a_key_of_its_own_is_used_and_no_other(desk: Desk) -> None:
    desk.allow(OWN)
    runtime = desk.world.wire(WITH_KEY)

    assert go(runtime, alert())[-1] == "sent"
    desk.allow(TOKEN)
    assert go(runtime, alert("other"))[-1] == "dead"

    assert desk.statuses() == ["triggered"]


def test_an_app_creates_and_resolves_as_a_key_does(desk: Desk) -> None:
    desk.file.unlink()
    desk.world.environ.pop("PAGERDUTY_API_KEY_FILE")
    runtime = desk.world.wire(FILE, **{**app(desk.world.sandbox), **SCOPES})

    assert go(runtime, alert())[-1] == "sent"
    desk.world.sandbox.control("POST", "/tokens/revoke")
    assert go(runtime, alert(action="resolve"))[-1] == "sent"

    assert (desk.statuses(), desk.refused()) == (["resolved"], 1)
    assert SECRET not in str(runtime.client.xrange(runtime.keys.ledger))


def test_an_app_that_gets_no_token_loses_nothing(desk: Desk, clock: MovableClock) -> None:
    desk.file.unlink()
    desk.world.environ.pop("PAGERDUTY_API_KEY_FILE")
    runtime = desk.world.wire(FILE, **{**app(desk.world.sandbox), **SCOPES})
    desk.world.sandbox.fault(kind="error", status=503, path="/oauth/token")

    assert go(runtime, alert())[-1] == "retry"
    desk.world.sandbox.heal()
    clock.advance(timedelta(minutes=2))
    runtime.delivery.drain()

    assert desk.statuses() == ["triggered"]
