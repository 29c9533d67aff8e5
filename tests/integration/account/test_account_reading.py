"""What is read of an account, and what of it is kept."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from deploy.sandbox.generate import generate
from tasks.backups.account.bound import least_calls
from tasks.backups.account.kinds import KINDS
from tasks.backups.account.reader import AccountReader
from tests.conftest import ROOT
from tests.integration.account.kit import calls, client_of, furnish, made_up, names, one, read, silent

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tasks.utils.rest.client import RestClient
    from tests.integration.sandbox.kit import SandboxProcess

TEN_THOUSAND = ROOT / "tests" / "data" / "accounts" / "ten_thousand.json"


def test_every_kind_there_is_is_read(source: SandboxProcess, rest: RestClient) -> None:
    made_up(source)
    furnish(rest, read(rest))
    reader = AccountReader(rest)

    kinds = {item.kind for item in reader.read(silent)}

    assert {kind.name for kind in KINDS} - kinds == set()
    assert reader.gaps == []


def test_an_unchanged_account_gives_equal_items_each_once(source: SandboxProcess, rest: RestClient) -> None:
    made_up(source)

    items = read(rest)

    assert names(read(rest)) == names(items)
    assert len(names(items)) == len(items)


def test_what_happens_by_itself_is_no_change(source: SandboxProcess, rest: RestClient) -> None:
    account = made_up(source)
    items, service = read(rest), account["services"][0]
    key = service["integrations"][0]["routing_key"]
    event = {"summary": "Disk full", "source": "db", "severity": "critical"}

    source.http.post("/v2/enqueue", json={"routing_key": key, "event_action": "trigger", "payload": event})

    assert rest.services.get(service["id"])["last_incident_timestamp"] is not None
    assert names(read(rest)) == names(items)


def test_no_item_holds_a_key_or_a_secret(source: SandboxProcess, rest: RestClient) -> None:
    account = made_up(source)
    keys = [door["routing_key"] for service in account["services"] for door in service["integrations"]]
    keys += [
        door["parameters"]["routing_key"] for one in account["event_orchestrations"] for door in one["integrations"]
    ]
    keys += [one["delivery_method"]["secret"] for one in account["webhook_subscriptions"]]

    text = json.dumps(names(read(rest)))

    assert [key for key in keys if key in text] == []


def test_hardly_a_call_more_is_made_than_it_takes(source: SandboxProcess, rest: RestClient) -> None:
    made_up(source, services=40, users=30)
    source.control("DELETE", "/log")

    items = read(rest)

    assert calls(source) <= 1.1 * least_calls(items) + 25  # so many lists are looked at again, however short they are


@pytest.mark.slow
def test_an_account_of_ten_thousand_objects_takes_hardly_a_call_more(source: SandboxProcess, rest: RestClient) -> None:
    source.control("PUT", "/account", generate(1, json.loads(TEN_THOUSAND.read_text())))
    source.control("DELETE", "/log")

    items = read(rest)

    assert len(items) > 10_000
    assert calls(source) <= 1.1 * least_calls(items)


def test_what_changes_while_it_is_read_is_read_again(source: SandboxProcess, rest: RestClient) -> None:
    account = made_up(source)
    first, method = account["services"][0], account["contact_methods"][0]
    policy = {"id": account["escalation_policies"][0]["id"], "type": "escalation_policy_reference"}
    named = {"id": method["id"], "type": "email_contact_method_reference"}

    changed: list[str] = []

    def progress(done: int, total: int | None, what: str) -> None:
        if what != "listing again" or changed:
            return
        changed.append(what)
        rest.services.update(first["id"], {"type": "service", "name": "other", "escalation_policy": policy})
        rest.extensions.delete(account["extensions"][0]["id"])
        rest.users.handoff_rules(method["user"]["id"]).create({"contact_method": named, "handoff_type": "both"})
        rest.tags.change("teams", account["teams"][0]["id"], add=["late"])

    items = list(AccountReader(rest).read(progress))

    assert names(items) == names(read(rest))
    assert one(items, "services", name="other")
    assert one(items, "oncall_handoff_notification_rules")
    assert any("late" in item.document["labels"] for item in items if item.kind == "tag_assignments")


def test_an_account_that_does_not_stand_still_is_named(source: SandboxProcess, rest: RestClient) -> None:
    account = made_up(source)
    team, renamed = account["teams"][0]["id"], 0

    def progress(done: int, total: int | None, what: str) -> None:
        nonlocal renamed
        if what == "listing again":
            renamed += 1
            rest.teams.update(team, {"type": "team", "name": f"team {renamed}"})

    reader = AccountReader(rest)
    items = list(reader.read(progress))

    told = "it kept changing while it was read; what is here may not be of one moment"
    assert [(gap.kind, gap.why) for gap in reader.gaps] == [("account", told)]
    assert one(items, "account").document["not_backed_up"] == [{"kind": "account", "why": told}]


@pytest.mark.parametrize(
    ("path", "status", "kinds"),
    [
        ("/incident_workflows", 402, ["incident_workflow_triggers", "incident_workflows"]),
        ("/tags", 403, ["tags"]),
        ("/abilities", 403, ["abilities"]),
        ("/license_allocations", 403, ["license_allocations"]),
        ("/event_orchestrations/services", 403, ["service_orchestrations"]),
    ],
)
def test_what_the_key_may_not_see_is_named_and_the_rest_is_read(
    source: SandboxProcess, rest: RestClient, path: str, status: int, kinds: list[str]
) -> None:
    made_up(source)
    whole = names(read(rest))
    body = {"error": {"message": "Access Denied", "code": 2010}}
    source.control("POST", "/faults", {"kind": "reject", "status": status, "path": path, "body": body})
    reader = AccountReader(rest)

    items = names(list(reader.read(silent)))

    assert [gap.kind for gap in reader.gaps] == kinds
    assert all(str(status) in gap.why for gap in reader.gaps)
    assert [told["kind"] for told in items["account/account"]["not_backed_up"]] == kinds
    assert items["services/" + next(iter(name[9:] for name in whole if name.startswith("services/")))]


def test_a_key_that_is_refused_ends_it(client: Any, keys: Any, source: SandboxProcess) -> None:
    account = made_up(source)
    source.control("PUT", "/account", {**account, "tokens": ["x" * 20]})

    with client_of(client, keys, source) as rest, pytest.raises(Exception, match="PAGERDUTY_API_KEY"):
        read(rest)


def test_a_short_outage_does_not_begin_it_anew(source: SandboxProcess, rest: RestClient, clock: MovableClock) -> None:
    made_up(source)
    whole = names(read(rest))
    source.control("POST", "/faults", {"kind": "error", "path": "/event_orchestrations/services", "count": 8})
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        clock.advance(timedelta(seconds=seconds + 1))

    items = names(list(AccountReader(rest, workers=2, sleep=sleep).read(silent)))

    assert items == whole
    assert naps
