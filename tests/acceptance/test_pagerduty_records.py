"""PagerDuty's own audit records, fetched from the sandbox and kept beside ours: each once, whatever happens in between."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from config.settings import load
from tasks.audit.act_filter import ActFilter
from tasks.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.audit.act_models import ActView
    from tests.conftest import Sandbox

TOKEN = "a" * 20


class Account:
    """An account somebody changes, and a Tocsin that watches."""

    def __init__(self, runtime: Runtime, http: httpx.Client) -> None:
        self.runtime = runtime
        self.http = http

    def change(self, name: str) -> str:
        """Make a team; its id."""
        answer = self.http.post("/teams", json={"team": {"type": "team", "name": name}})
        answer.raise_for_status()
        return str(answer.json()["team"]["id"])

    def collect(self) -> Any:
        return self.runtime.act_archive.collector.collect()

    def records(self, **wanted: Any) -> list[ActView]:
        found = self.runtime.act_archive.read(ActFilter(**wanted), with_pagerduty=True)
        return [act for act in found if act.source == "pagerduty"]


@pytest.fixture
def account(server: Server, client: Any, sandbox: Sandbox, tmp_path: Path) -> Iterator[Account]:
    environ = {
        "REDIS_URL": server.url,
        "TOCSIN_STATE_DIR": str(tmp_path),
        "PAGERDUTY_API_KEY": TOKEN,
        "PAGERDUTY_API_URL": sandbox.url,
    }
    runtime = Runtime(load(environ=environ))
    with httpx.Client(base_url=sandbox.url, headers={"Authorization": f"Token token={TOKEN}"}) as http:
        yield Account(runtime, http)
    runtime.rest.close()
    runtime.client.close()


def test_what_was_done_in_pagerduty_stands_beside_what_was_done_here(account: Account) -> None:
    team = account.change("network")

    report = account.collect()

    assert (report.state, report.records, report.new) == ("done", 1, 1)
    (act,) = account.records()
    assert (act.action, act.object, act.outcome) == ("pagerduty.create", f"team/{team}", "ok")
    assert act.actor_kind == "api_key"
    assert act.detail["method"] == f"api_token {TOKEN[-4:]}"


def test_each_record_is_kept_once_however_often_it_is_read(account: Account) -> None:
    for number in range(120):  # more than a page
        account.change(f"team {number}")

    assert account.collect().new == 120
    assert account.collect().new == 0
    account.change("one more")
    assert account.collect().new == 1
    assert len(account.records()) == 121


def test_after_a_loss_of_redis_nothing_is_kept_twice(account: Account) -> None:
    account.change("network")
    account.collect()
    account.runtime.act_archive.seal()
    account.runtime.client.flushall()
    account.change("storage")

    assert account.collect().new == 1
    account.runtime.act_archive.seal()
    assert len(account.records()) == 2
    assert account.runtime.act_archive.pagerduty.verify().holds


def test_an_outage_of_pagerduty_is_said_and_made_up_for(account: Account, sandbox: Sandbox) -> None:
    account.change("network")
    sandbox.fault(kind="outage", path="/audit")

    waits = account.collect()
    sandbox.heal()

    assert waits.state == "waits"
    assert "does not answer now" in waits.missing
    assert account.collect().new == 1


def test_an_account_whose_plan_has_no_audit_trail_is_left_alone(account: Account, sandbox: Sandbox) -> None:
    sandbox.control("PUT", "/account", {"abilities": ["teams"]})

    report = account.collect()

    assert report.state == "off"
    assert "plan" in report.missing


def test_without_a_key_nothing_is_fetched(server: Server, client: Any, tmp_path: Path) -> None:
    runtime = Runtime(load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)}))

    assert runtime.act_archive.collector.collect().state == "off"
    runtime.client.close()


def test_their_records_are_sealed_chosen_and_verified_like_ours(account: Account, tmp_path: Path) -> None:
    account.change("network")
    account.collect()
    account.runtime.act_archive.seal()

    (file,) = (tmp_path / "acts" / "pagerduty").glob("2*.jsonl")
    assert account.records(action="pagerduty.*")
    assert not account.records(action="silences.*")
    assert not account.records(since=round((account.runtime.clock.now() + timedelta(hours=1)).timestamp() * 1000))
    file.write_bytes(file.read_bytes().replace(b"network", b"newtork"))
    assert not account.runtime.act_archive.pagerduty.verify().holds
