"""An account's items, brought back into an account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from deploy.sandbox.generate import generate
from tests.conftest import ROOT
from tests.integration.account.kit import FileJournal, by_kind, furnish, made_up, read, restorer_of, silent

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.rest.client import RestClient
    from tests.integration.sandbox.kit import SandboxProcess

TEN_THOUSAND = ROOT / "tests" / "data" / "accounts" / "ten_thousand.json"


def test_an_empty_account_becomes_equal_ids_aside(
    source: SandboxProcess, target: SandboxProcess, rest: RestClient, other: RestClient, tmp_path: Path
) -> None:
    made_up(source)
    furnish(rest, read(rest))
    items = read(rest)
    restorer = restorer_of(other)

    outcome = restorer.apply(restorer.plan(items), FileJournal(tmp_path / "journal"), silent)

    assert outcome.differences == ()
    assert by_kind(read(other)) == by_kind(items)
    assert [one for one in restorer.plan(items).changes if one.verb in ("create", "change")] == []


def test_the_plan_names_what_cannot_be_restored_and_what_names_it(
    rest: RestClient, source: SandboxProcess, target: SandboxProcess, other: RestClient, tmp_path: Path
) -> None:
    account = made_up(source)
    user = {"id": account["users"][0]["id"], "type": "user_reference"}
    method = {"id": "PPUSH01", "type": "push_notification_contact_method", "address": "phone", "device_type": "ios"}
    named = {"id": "PPUSH01", "type": "push_notification_contact_method_reference"}
    rule = {"id": "PRULE01", "contact_method": named, "user": user, "start_delay_in_minutes": 0, "urgency": "high"}
    account["contact_methods"].append({**method, "label": "Phone", "user": user})
    account["notification_rules"].append(rule)
    account["priorities"] = [{"id": "PHIGH01", "type": "priority", "name": "Sky high", "description": ""}]
    source.control("PUT", "/account", account)
    restorer = restorer_of(other)

    plan = restorer.plan(read(rest))
    outcome = restorer.apply(plan, FileJournal(tmp_path / "journal"), silent)

    assert [(one.kind, one.why) for one in plan.changes if one.verb == "cannot"] == [
        ("priorities", "PagerDuty has no way to make one over its API"),
        ("contact_methods", "a telephone's push notifications are set up on the telephone"),
        ("notification_rules", "it names contact method PPUSH01, which cannot be restored"),
    ]
    assert outcome.differences == ()


def test_the_plan_says_what_a_thing_will_lack(source: SandboxProcess, rest: RestClient, other: RestClient) -> None:
    made_up(source)

    plan = restorer_of(other).plan(read(rest))

    told = {one.kind: one.why for one in plan.changes if one.why}
    assert told["integrations"] == "it gets a new key: give that to whoever sends with the old one"
    assert "values of its headers x-team: set them anew" in told["webhook_subscriptions"]
    assert "passwords" in told["users"]


@pytest.mark.slow
def test_ten_thousand_objects_become_equal_ids_aside(
    source: SandboxProcess, target: SandboxProcess, rest: RestClient, other: RestClient, tmp_path: Path
) -> None:
    source.control("PUT", "/account", generate(1, json.loads(TEN_THOUSAND.read_text())))
    items = read(rest)
    restorer = restorer_of(other)

    outcome = restorer.apply(restorer.plan(items), FileJournal(tmp_path / "journal"), silent)

    assert outcome.differences == ()
    assert by_kind(read(other)) == by_kind(items)
