"""What a plan says where the backup, or whoever restores, could not see everything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.backups.account.hidden import hidden_kinds
from tasks.backups.account.planning import plan_of
from tasks.backups.account.shelf import Shelf
from tasks.backups.items import Item

NOW = datetime(2026, 11, 27, tzinfo=UTC)
REFUSED = "PagerDuty refused it (403): Access Denied"


def account(*hidden: str, host: str = "acme", why: str = REFUSED) -> Item:
    gaps = [{"kind": kind, "why": why} for kind in hidden]
    return Item("account", "account", {"host": host, "abilities": [], "not_backed_up": gaps})


def reference(noun: str, item_id: str) -> dict[str, str]:
    return {"id": item_id, "type": f"{noun}_reference"}


def user(item_id: str) -> Item:
    return Item("users", item_id, {"name": item_id, "email": f"{item_id}@example.com"})


def team(item_id: str) -> Item:
    return Item("teams", item_id, {"name": item_id})


def policy(*users: str, teams: tuple[str, ...] = ()) -> Item:
    rules = [{"escalation_delay_in_minutes": 10, "targets": [reference("user", one) for one in users]}]
    named = [reference("team", one) for one in teams]
    return Item("escalation_policies", "PPOLICY1", {"name": "nights", "escalation_rules": rules, "teams": named})


def rules(service: str, route: str = "") -> Item:
    actions = {"escalation_policy": route} if route else {"suppress": True}
    sets = [{"id": "start", "rules": [{"id": "r1", "actions": actions}]}]
    document = {"sets": sets, "catch_all": {"actions": {}}, "active": True, "service": reference("service", service)}
    return Item("service_orchestrations", service, document)


def planned(items: list[Item], target: list[Item]) -> dict[str, tuple[str, str]]:
    """What becomes of each item, and why."""
    plan = plan_of(Shelf(items), Shelf(target), NOW)
    return {f"{one.kind}/{one.id}": (one.verb, one.why) for one in plan.changes}


def test_a_policy_of_people_whom_nobody_may_see_is_left_in_the_same_account() -> None:
    items = [account("users"), policy("PUSER001")]

    plan = planned(items, items)

    assert plan["escalation_policies/PPOLICY1"] == ("leave", "")


def test_people_who_cannot_be_seen_are_not_invited_again() -> None:
    whole = [account(), user("PUSER001"), policy("PUSER001")]

    plan = planned(whole, [account("users"), policy("PUSER001")])

    assert plan["users/PUSER001"] == ("cannot", f"whether it is there cannot be seen: {REFUSED}")
    assert plan["escalation_policies/PPOLICY1"] == ("leave", "")


def test_in_another_account_the_plan_names_what_the_backup_lacks_before_pagerduty_is_asked() -> None:
    plan = planned([account("users"), policy("PUSER001")], [account(host="other"), user("PUSER009")])

    told = ("cannot", "it names user PUSER001, which is not in the backup")
    assert plan["escalation_policies/PPOLICY1"] == told
    assert plan["account/account"] == ("cannot", f"the backup does not hold users: {REFUSED}")


def test_in_another_account_an_id_within_rules_that_the_backup_does_not_hold_is_named_too() -> None:
    service = Item("services", "PSERVIC1", {"name": "shop"})

    plan = planned([account(), service, rules("PSERVIC1", route="PPOLICY7")], [account(host="other")])

    told = ("cannot", "it names escalation policy PPOLICY7, which is not in the backup")
    assert plan["service_orchestrations/PSERVIC1"] == told


def test_a_policy_goes_without_a_team_that_the_backup_does_not_hold_and_the_plan_says_so() -> None:
    items = [account("teams"), user("PUSER001"), policy("PUSER001", teams=("PTEAM001",))]

    plan = planned(items, [account(host="other")])

    told = ("create", "without team PTEAM001, which is not in the backup")
    assert plan["escalation_policies/PPOLICY1"] == told


def test_a_policy_gets_its_team_back_where_the_team_is_made_again() -> None:
    whole = [account(), user("PUSER001"), team("PTEAM001"), policy("PUSER001", teams=("PTEAM001",))]

    plan = plan_of(Shelf(whole), Shelf([account(), user("PUSER001"), policy("PUSER001")]), NOW)

    told = next(one for one in plan.changes if one.kind == "escalation_policies")
    assert (told.verb, told.fields) == ("change", ("teams",))


@pytest.mark.parametrize("why", [REFUSED, "PagerDuty does not show them (404)"])
def test_rules_that_the_backup_could_not_see_are_not_emptied(why: str) -> None:
    service = Item("services", "PSERVIC1", {"name": "shop"})
    people = [user("PUSER001")]

    plan = planned(
        [account("service_orchestrations", why=why), *people, service],
        [account(), *people, service, rules("PSERVIC1")],
    )

    assert plan["service_orchestrations/PSERVIC1"] == ("leave", "not in the backup; it stays")


def test_rules_that_the_backup_has_none_of_are_emptied() -> None:
    whole: list[Any] = [account(), user("PUSER001"), Item("services", "PSERVIC1", {"name": "shop"})]

    plan = planned(whole, [*whole, rules("PSERVIC1")])

    assert plan["service_orchestrations/PSERVIC1"][0] == "change"


def test_what_belongs_to_what_cannot_be_seen_cannot_be_seen_either() -> None:
    found = hidden_kinds(Shelf([account("services")]))

    assert found.keys() >= {
        "services",
        "integrations",
        "service_orchestrations",
        "cache_variables",
        "service_dependencies",
    }
