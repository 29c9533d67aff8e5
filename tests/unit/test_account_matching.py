"""Who is who in two accounts, and documents in the words of the other."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.backups.account.bound import least_calls
from tasks.backups.account.differences import differences
from tasks.backups.account.long_lists import everything
from tasks.backups.account.matching import is_same_account, match
from tasks.backups.account.shelf import Shelf
from tasks.backups.account.translation import Translator
from tasks.backups.items import Item
from tasks.utils.rest.pages import TooLongError


def user(item_id: str, email: str = "") -> Item:
    return Item("users", item_id, {"name": item_id, "email": email or f"{item_id}@example.com"})


def host(name: str) -> Item:
    return Item("account", "account", {"host": name})


def reference(kind: str, item_id: str) -> dict[str, str]:
    return {"id": item_id, "type": f"{kind}_reference"}


def door(item_id: str, service: str) -> Item:
    return Item("integrations", item_id, {"type": "events", "name": "Door", "service": reference("service", service)})


def service(item_id: str, name: str = "Shop") -> Item:
    return Item("services", item_id, {"name": name})


def matched(items: list[Item], target: list[Item], known: dict[Any, str] | None = None) -> dict[Any, str]:
    """The pairs in an account that is another."""
    return match(Shelf(items), Shelf(target), known or {}, is_same=False).pairs


def test_in_another_account_people_are_known_by_their_address_and_never_by_an_id() -> None:
    assert matched([user("P1", "a@x.org"), user("P2")], [user("P2", "A@x.org")]) == {("users", "P1"): "P2"}


def test_in_the_same_account_an_id_decides_even_after_a_change_of_names() -> None:
    items, target = Shelf([service("P1", "a"), service("P2", "b")]), Shelf([service("P1", "b"), service("P2", "a")])

    pairs = match(items, target, {}, is_same=True).pairs

    assert pairs == {("services", "P1"): "P1", ("services", "P2"): "P2"}


def test_several_of_one_name_are_matched_in_their_order_each_once() -> None:
    items = [service("P1"), door("D1", "P1"), door("D2", "P1"), door("D3", "P1")]

    pairs = matched(items, [service("Q1"), door("E1", "Q1"), door("E2", "Q1")])

    assert (pairs["integrations", "D1"], pairs["integrations", "D2"]) == ("E1", "E2")
    assert ("integrations", "D3") not in pairs


def test_what_was_made_before_is_nobody_elses() -> None:
    items = [service("P1"), door("D1", "P1"), door("D2", "P1")]

    pairs = matched(items, [service("Q1"), door("E1", "Q1"), door("E2", "Q1")], {("integrations", "D2"): "E1"})

    assert (pairs["integrations", "D1"], pairs["integrations", "D2"]) == ("E2", "E1")


@pytest.mark.parametrize(
    ("there", "same"),
    [
        ([host("acme"), user("P1")], True),
        ([host("other"), user("P1")], False),
        ([host("acme"), user("P1", "someone@else.org")], False),  # emptied, and its ids given to others
        ([host("acme"), user("P1"), user("P2", "p3@example.com")], False),  # the same, and by chance one to the same
        ([host("acme"), user("P3")], False),
    ],
)
def test_an_account_is_the_same_by_its_host_and_its_people(there: list[Item], same: bool) -> None:  # noqa: FBT001
    assert is_same_account(Shelf([host("acme"), user("P1"), user("P2")]), Shelf(there)) is same


def translated(document: dict[str, Any], *known: Item, **pairs: str) -> tuple[dict[str, Any], list[str]]:
    named = {(item.kind, item.id): pairs[item.id] for item in known if item.id in pairs}
    return Translator.of(Shelf(known), named).translate(document)


def test_whatever_a_document_names_gets_its_new_id() -> None:
    document = {
        "service": reference("service", "PSHOP"),
        "sets": [{"id": "start", "rules": [{"actions": {"route_to": "PSHOP", "priority": "P1"}}]}],
        "catch_all": {"actions": {"route_to": "start"}},
    }

    told, unknown = translated(document, service("PSHOP"), Item("priorities", "P1", {}), PSHOP="QSHOP", P1="Q1")

    assert told["service"] == reference("service", "QSHOP")
    assert told["sets"][0]["rules"][0]["actions"] == {"route_to": "QSHOP", "priority": "Q1"}
    assert (told["catch_all"], unknown) == (document["catch_all"], [])


def test_what_is_not_there_is_told() -> None:
    document = {"user": reference("user", "P1"), "assignments": [{"member": {"user_id": "P2"}}]}

    assert translated(document, user("P1"), user("P2"))[1] == ["user P1", "user P2"]


def test_a_document_goes_without_what_it_can_spare() -> None:
    told, unknown = translated({"team": reference("team", "P1"), "name": "a"})

    assert (told, unknown) == ({"team": None, "name": "a"}, [])


def test_pagerdutys_own_things_are_the_same_everywhere() -> None:
    vendor = {"vendor": reference("vendor", "PVENDOR")}

    assert translated(vendor) == (vendor, [])


def test_the_input_of_a_step_that_is_the_id_of_something_is_replaced_and_other_text_is_not() -> None:
    steps = [{"name": "P1", "action_configuration": {"inputs": [{"name": "team", "value": "P1"}]}}]

    told, _ = translated({"steps": steps}, Item("teams", "P1", {}), P1="Q1")

    assert told["steps"] == [{"name": "P1", "action_configuration": {"inputs": [{"name": "team", "value": "Q1"}]}}]


def test_differences_are_told_by_names() -> None:
    day, night = (Item("escalation_policies", name, {"name": name}) for name in ("Day", "Night"))
    before = Item("services", "P1", {"name": "shop", "escalation_policy": reference("escalation_policy", "Day")})
    after = Item("services", "P1", {"name": "shop", "escalation_policy": reference("escalation_policy", "Night")})
    gone, new = user("PGONE", "gone@x.org"), Item("tags", "PTAG", {"label": "eu"})

    told = [str(one) for one in differences([day, night, before, gone], [day, night, after, new])]

    assert told == [
        '- user "gone@x.org"',
        '~ service "shop": escalation policy "Day" -> "Night"',
        '+ tag "eu"',
    ]


def test_the_least_calls_of_an_empty_account_are_one_for_each_list() -> None:
    assert least_calls([]) == 22


def test_the_least_calls_count_full_pages_and_what_is_shown_one_by_one() -> None:
    users = [user(f"P{number}") for number in range(101)]

    assert least_calls(users) - least_calls([]) == 101 * 2 + 2  # rules of two kinds; a page more, and of licences too


class Long:
    """A list of extensions that shows the first so many of what a query finds."""

    def __init__(self, names: list[str], most: int) -> None:
        self.names, self.most = names, most
        self.kind, self.has_query = "extensions", True

    def asked(self) -> dict[str, Any]:
        return {}

    def collection(self, _: Any) -> Any:
        return self

    def list(self, query: str | None = None) -> Any:
        found = [name for name in self.names if (query or "") in name]
        yield from ({"id": name} for name in found[: self.most])
        if len(found) > self.most:
            raise TooLongError("more")

    def reading(self, _: Any) -> Any:
        return lambda _: {"total": len(self.names)}


def test_a_list_beyond_what_pagerduty_lists_is_read_by_the_letters_of_its_names() -> None:
    listing: Any = Long([f"hook {number}" for number in range(60)], most=20)
    told: list[str] = []

    found = [raw["id"] for raw in everything(listing, Any, lambda kind, why: told.append(f"{kind}: {why}"))]

    assert sorted(found) == sorted(listing.names)
    assert told == []


def test_what_cannot_be_reached_is_told() -> None:
    listing: Any = Long(["é" * length for length in range(1, 21)], most=5)
    told: list[str] = []

    found = list(everything(listing, Any, lambda kind, why: told.append(f"{kind}: {why}")))

    assert told == ["extensions: PagerDuty lists 10,000 at most; 5 of 20 could be reached"]
    assert len(found) == 5
