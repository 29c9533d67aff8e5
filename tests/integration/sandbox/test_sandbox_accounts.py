"""Whole accounts: out and in again as JSON, made up by the generator, and what cannot be one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from deploy.sandbox.generate import generate
from tests.integration.sandbox.account_kit import AccountApi
from tests.integration.sandbox.kit import TOKEN, SandboxProcess, write_account

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


def generated(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.sandbox", "generate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_made_up_account_goes_in_and_comes_out_the_same(api: AccountApi) -> None:
    account = generate(7, {"services": 40})

    api.sandbox.control("PUT", "/account", account)
    first = api.sandbox.control("GET", "/account")
    api.sandbox.control("PUT", "/account", first)

    assert api.sandbox.control("GET", "/account") == first
    assert {kind: first[kind] for kind in account if kind != "services"} == {
        kind: account[kind] for kind in account if kind != "services"
    }
    names = [(one["id"], one["name"], one["escalation_policy"]) for one in account["services"]]
    assert [(one["id"], one["name"], one["escalation_policy"]) for one in first["services"]] == names


def test_what_was_made_over_rest_comes_out_and_goes_in_again(api: AccountApi) -> None:
    user = api.user()
    api.put(f"/teams/{api.team()['id']}/users/{user['id']}", {"role": "manager"}, status=204)
    policy = api.policy(api.schedule(user), user)
    service = api.service(policy)
    door = {"type": "events_api_v2_inbound_integration", "name": "events"}
    key = api.post(f"/services/{service['id']}/integrations", {"integration": door})["integration"]["integration_key"]
    api.post("/event_orchestrations", {"orchestration": {"name": "front door"}})
    shown = api.get(f"/services/{service['id']}", **{"include[]": "integrations"})["service"]

    account = api.sandbox.control("GET", "/account")
    api.sandbox.control("PUT", "/account", account)

    assert api.sandbox.control("GET", "/account") == account
    assert api.get(f"/services/{service['id']}", **{"include[]": "integrations"})["service"] == shown
    event = {"routing_key": key, "event_action": "trigger"}
    payload = {"summary": "s", "source": "h", "severity": "info"}
    assert api.sandbox.enqueue({**event, "payload": payload}).status_code == 202


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (
            {"escalation_policies": [{"id": "PE", "name": "e", "escalation_rules": [
                {"escalation_delay_in_minutes": 1, "targets": [{"id": "PX", "type": "user_reference"}]}]}]},
            "escalation_policies, PE: Targets PX was not found",
        ),
        ({"users": [{"id": "PU", "name": "u"}]}, "users, PU: Email can't be blank"),
        ({"teams": [{"id": "PT", "name": "a"}, {"id": "PT", "name": "b"}]}, "two teams have the id PT"),
        ({"contact_methods": [{"id": "PC", "type": "email_contact_method", "address": "a@example.com"}]},
         "contact_methods, PC: User must be a reference"),
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_is_refused_by_name(api: AccountApi, account: dict[str, Any], reason: str) -> None:
    answer = api.sandbox.http.put("/_sandbox/account", json=account)

    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_the_same_seed_and_counts_make_the_same_account(tmp_path: Path) -> None:
    counts = tmp_path / "counts.json"
    counts.write_text('{"services": 5, "users": 9}')

    first, again = (generated("--counts", str(counts), "--seed", "3", "--teams", "2").stdout for _ in range(2))
    other = generated("--counts", str(counts), "--seed", "4", "--teams", "2").stdout

    assert first == again != other
    account = json.loads(first)
    assert [len(account[kind]) for kind in ("services", "users", "teams")] == [5, 9, 2]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--services", "3", "--alert-grouping-settings", "4"), "at most one alert grouping setting"),
        (("--users", "0"), "there are no users"),
        (("--services", "many"), "many is no count"),
    ],
)
def test_an_account_that_cannot_be_made_up_is_refused(arguments: tuple[str, ...], reason: str) -> None:
    ended = generated(*arguments)

    assert ended.returncode != 0
    assert reason in ended.stderr


def test_ten_thousand_objects_are_made_and_served(tmp_path: Path) -> None:
    """Ten thousand objects, made in a process of its own, loaded, and listed to the last."""
    made = generated("--services", "1200", "--compact")
    account = json.loads(made.stdout)
    assert (
        sum(len(one) for one in account.values()) + sum(len(one["integrations"]) for one in account["services"])
        > 10_000
    )

    with SandboxProcess("--account", write_account(tmp_path / "account.json", account)) as sandbox:
        seen: set[str] = set()
        more, offset = True, 0
        while more:
            page = sandbox.http.get("/users", params={"limit": 100, "offset": offset}, headers=TOKEN).json()
            seen |= {one["id"] for one in page["users"]}
            more, offset = page["more"], offset + 100
        key = account["services"][-1]["integrations"][0]["routing_key"]
        payload = {"summary": "s", "source": "h", "severity": "critical"}
        event = {"routing_key": key, "event_action": "trigger", "payload": payload}

        assert len(seen) == 1200
        assert sandbox.enqueue(event).status_code == 202
        assert sandbox.incidents()[0]["service"]["id"] == account["services"][-1]["id"]
        assert sandbox.http.get("/oncalls", headers=TOKEN, timeout=30).json()["more"] is True


def test_every_list_of_a_made_up_account_is_as_published(api: AccountApi) -> None:
    """The watch over the sandbox holds each of these answers against PagerDuty's description."""
    account = generate(11, {"services": 12})
    api.sandbox.control("PUT", "/account", account)
    user, service = account["users"][0], account["services"][0]
    paths = [
        "/users", "/teams", "/schedules", "/v3/schedules", "/escalation_policies", "/services", "/business_services",
        "/event_orchestrations", "/alert_grouping_settings", "/extensions", "/tags", "/maintenance_windows", "/vendors",
        "/priorities", "/licenses", "/license_allocations", "/abilities", "/oncalls", "/audit/records", "/addons",
        f"/users/{user['id']}/contact_methods", f"/users/{user['id']}/notification_rules", f"/users/{user['id']}/license",
        f"/teams/{account['teams'][0]['id']}/members", f"/service_dependencies/technical_services/{service['id']}",
        f"/event_orchestrations/{account['event_orchestrations'][0]['id']}/router",
    ]  # fmt: skip

    for path in paths:
        assert api.get(path), path
    for kind in (
        "users",
        "teams",
        "schedules",
        "v3_schedules",
        "escalation_policies",
        "services",
        "maintenance_windows",
    ):
        for one in account[kind][:3]:
            assert api.get(f"/{kind.replace('v3_', 'v3/')}/{one['id']}")
