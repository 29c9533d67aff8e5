"""Tags, extensions, licences, abilities and add-ons of the sandbox's account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.account_kit import AccountApi, reference

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


def tag(api: AccountApi, label: str) -> dict[str, Any]:
    return dict(api.post("/tags", {"tag": {"type": "tag", "label": label}})["tag"])


def test_tags_are_put_on_and_taken_off_and_new_ones_made_on_the_way(api: AccountApi) -> None:
    user, old = api.user(), tag(api, "old")
    path = f"/users/{user['id']}"
    api.post(f"{path}/change_tags", {"add": [reference(old), {"type": "tag", "label": "new"}]}, status=200)

    assert {one["label"] for one in api.get(f"{path}/tags")["tags"]} == {"old", "new"}
    assert [one["id"] for one in api.get(f"/tags/{old['id']}/users")["users"]] == [user["id"]]

    api.post(f"{path}/change_tags", {"remove": [reference(old)]}, status=200)

    assert [one["label"] for one in api.get(f"{path}/tags")["tags"]] == ["new"]
    assert [one["label"] for one in api.get("/tags", query="ol")["tags"]] == ["old"]


def test_a_tag_nobody_has_made_changes_nothing(api: AccountApi) -> None:
    user = api.user()
    body = {"add": [{"type": "tag", "label": "new"}], "remove": [{"type": "tag_reference", "id": "PNONE"}]}

    assert api.refused("POST", f"/users/{user['id']}/change_tags", body)[0] == 400
    assert api.get("/tags")["tags"] == []


def test_a_label_is_used_once_and_has_191_characters_at_most(api: AccountApi) -> None:
    tag(api, "x")

    assert api.refused("POST", "/tags", {"tag": {"type": "tag", "label": "x"}})[0] == 400
    assert api.refused("POST", "/tags", {"tag": {"type": "tag", "label": "x" * 192}})[0] == 400
    assert api.call("PUT", f"/tags/{api.get('/tags')['tags'][0]['id']}", {"tag": {}}).status_code == 405


def test_extensions_belong_to_services_and_have_a_schema(api: AccountApi) -> None:
    service = api.service(api.policy(api.user()))
    schema = api.get("/extension_schemas")["extension_schemas"][0]
    body = {
        "name": "hook",
        "extension_schema": {"id": schema["id"], "type": "extension_schema_reference"},
        "endpoint_url": "https://example.com/hook",
        "extension_objects": [reference(service)],
    }

    made = api.post("/extensions", {"extension": body})["extension"]

    assert [one["id"] for one in api.get("/extensions", extension_object_id=service["id"])["extensions"]] == [
        made["id"]
    ]
    assert api.get("/extensions", extension_schema_id="POTHER")["extensions"] == []
    api.put(f"/extensions/{made['id']}", {"extension": {**body, "name": "renamed"}})
    assert api.get(f"/extensions/{made['id']}")["extension"]["name"] == "renamed"
    assert not api.post(f"/extensions/{made['id']}/enable", status=200)["extension"]["temporarily_disabled"]
    api.delete(f"/extensions/{made['id']}")


def test_vendors_priorities_and_schemas_are_there_to_be_read(api: AccountApi) -> None:
    assert [one["name"] for one in api.get("/priorities")["priorities"]] == ["P1", "P2", "P3", "P4", "P5"]
    vendor = api.get("/vendors")["vendors"][0]
    assert api.get(f"/vendors/{vendor['id']}")["vendor"] == vendor
    schema = api.get("/extension_schemas")["extension_schemas"][0]
    assert api.get(f"/extension_schemas/{schema['id']}")["extension_schema"]["key"] == schema["key"]
    assert api.call("POST", "/vendors", {}).status_code == 405


def test_licences_are_counted_by_their_users(api: AccountApi) -> None:
    user = api.user()
    api.user("Bob", role="read_only_user")

    full, watching = api.get("/licenses")["licenses"]

    assert (full["current_value"], watching["current_value"]) == (2, 1)  # the account's default user has one
    assert api.get(f"/users/{user['id']}/license")["license"]["id"] == full["id"]
    assert len(api.get("/license_allocations")["license_allocations"]) == 3


def test_an_ability_is_there_or_not_paid_for_or_unknown(api: AccountApi) -> None:
    api.sandbox.control("PUT", "/account", {"abilities": ["teams"]})

    assert api.get("/abilities")["abilities"] == ["teams"]
    statuses = [api.call("GET", f"/abilities/{name}").status_code for name in ("teams", "sso", "flight")]
    assert statuses == [204, 402, 404]


def test_addons_need_https(api: AccountApi) -> None:
    body = {"type": "full_page_addon", "name": "status", "src": "https://example.com/status"}

    made = api.post("/addons", {"addon": body})["addon"]

    assert made["type"] == "full_page_addon_reference"
    assert api.refused("POST", "/addons", {"addon": {**body, "src": "http://example.com"}})[0] == 400
    api.delete(f"/addons/{made['id']}")
