"""PagerDuty for coroutines, as people write it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.api_client import PagerDutyAPIClient
from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.errors import NotFoundError
from tests.conftest import ROOT
from tests.integration.rest.kit import SENDER, TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox

Talk = Callable[[PagerDutyAPIClient], Awaitable[Any]]


@pytest.fixture
def talk(rest: RestClient, service: str) -> Callable[[Talk], Any]:
    """Run a coroutine with a client that knows one service."""

    async def run(what: Talk) -> Any:
        async with PagerDutyAPIClient(rest, default_service=service) as client:
            return await what(client)

    return lambda what: asyncio.run(run(what))  # type: ignore[arg-type]


def test_an_incident_goes_its_way_from_open_to_resolved(talk: Any, service: str, user: str) -> None:
    async def life(client: PagerDutyAPIClient) -> list[str]:
        incident = await client.create_incident({"title": "Disk full", "service_id": service, "urgency": "high"})
        seen = [incident["status"]]
        seen.append((await client.acknowledge_incident(incident["id"]))["status"])
        await client.add_note(incident["id"], "on it")
        await client.snooze_incident(incident["id"], timedelta(hours=1))
        await client.reassign_incident(incident["id"], [user])
        [note] = await client.list_notes(incident["id"])
        seen.append(note["content"])
        await client.update_incident(incident["id"], {"title": "Disk of db1 full"})
        seen.append((await client.get_incident(incident["id"]))["title"])
        await client.resolve_incident(incident["id"], "deleted old logs")
        return [*seen, *[one["status"] for one in await client.list_incidents(service_ids=[service])]]

    assert talk(life) == ["triggered", "acknowledged", "on it", "Disk of db1 full", "resolved"]


def test_what_is_written_short_becomes_what_pagerduty_wants(talk: Any, user: str, service: str) -> None:
    short = {"title": "Disk full", "details": "of db1", "assignees": [user], "incident_key": "disk", "urgency": None}

    made = talk(lambda client: client.create_incident(short))

    assert made["service"]["id"] == service
    assert [one["assignee"]["id"] for one in made["assignments"]] == [user]
    assert made["incident_key"] == "disk"


@pytest.mark.parametrize("short", [{}, {"service_id": "P1"}, {"title": ""}])
def test_an_incident_without_a_title_is_refused_before_it_is_sent(talk: Any, short: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match="needs a title"):
        talk(lambda client: client.create_incident(short))


def test_many_incidents_are_changed_250_at_a_time(talk: Any, sandbox: Sandbox) -> None:
    async def many(client: PagerDutyAPIClient) -> list[str]:
        made = [await client.create_incident({"title": f"No. {n}"}) for n in range(3)]
        changes = [{"id": one["id"], "status": "resolved"} for one in made]
        return [one["status"] for one in await client.update_incidents(changes)]

    assert talk(many) == ["resolved"] * 3


def test_calls_run_beside_each_other(talk: Any) -> None:
    async def beside(client: PagerDutyAPIClient) -> list[int]:
        return [len(one) for one in await asyncio.gather(*(client.list_services() for _ in range(20)))]

    assert talk(beside) == [1] * 20


def test_the_account_is_read_by_kinds(talk: Any, user: str, service: str) -> None:
    async def read(client: PagerDutyAPIClient) -> list[Any]:
        return [
            [one["id"] for one in await client.list_users()],
            (await client.get_user(user))["email"],
            [one["id"] for one in await client.list_services(query="Shop")],
            (await client.get_service(service))["name"],
            [one["name"] for one in await client.list_escalation_policies()],
            await client.list_schedules(),
            await client.list_teams(),
        ]

    assert talk(read) == [[user], SENDER, [service], "Shop", ["Main"], [], []]


def test_everything_else_is_reached_through_call(talk: Any) -> None:
    async def other(client: PagerDutyAPIClient) -> Any:
        return await client.call(client.rest.teams.create, {"type": "team", "name": "Night"})

    assert talk(other)["name"] == "Night"


def test_errors_are_those_of_the_rest_client(talk: Any) -> None:
    with pytest.raises(NotFoundError):
        talk(lambda client: client.get_incident("PNOTHERE"))


SCRIPT = """
import asyncio
from tasks.utils.api_client import PagerDutyAPIClient

async def main():
    client = PagerDutyAPIClient()
    incident = await client.create_incident({"title": "Disk full", "service_id": SERVICE, "urgency": "high"})
    print(incident["status"], incident["urgency"])
    await client.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("redis", ["", "redis://127.0.0.1:1/0"])
def test_a_script_without_any_wiring_uses_the_settings_and_needs_no_redis(
    service: str, sandbox: Sandbox, server: Server, tmp_path: Path, redis: str
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PAGERDUTY_API_URL": sandbox.url,
        "PAGERDUTY_API_KEY": TOKEN,
        "PAGERDUTY_FROM_EMAIL": SENDER,
        "REDIS_URL": redis or server.url,
        "TOCSIN_STATE_DIR": str(tmp_path),
        "LOG_LEVEL": "ERROR",
    }
    script = SCRIPT.replace("SERVICE", repr(service))

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("triggered high\n")
