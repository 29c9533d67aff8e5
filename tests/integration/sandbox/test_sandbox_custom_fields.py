"""Custom fields of services and of incidents, and incident types, of the sandbox's account, over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.account_kit import AccountApi

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

FIELD = {"name": "region", "display_name": "Region", "data_type": "string", "field_type": "single_value"}
FIXED = {
    **FIELD,
    "field_type": "single_value_fixed",
    "field_options": [{"data": {"data_type": "string", "value": value}} for value in ("eu", "us")],
}
BASE = "incident_default"


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


def service_field(api: AccountApi, **more: Any) -> dict[str, Any]:
    return dict(api.post("/services/custom_fields", {"field": {**FIELD, **more}})["field"])


def incident_type(api: AccountApi) -> dict[str, Any]:
    asked = {"name": "security", "display_name": "Security", "parent_type": BASE}
    return dict(api.post("/incidents/types", {"incident_type": asked})["incident_type"])


def test_a_service_says_something_in_a_field_by_its_name_or_its_id(api: AccountApi) -> None:
    field, other = service_field(api), service_field(api, name="tier", display_name="Tier")
    shop = api.service(api.policy(api.user()))
    path = f"/services/{shop['id']}/custom_fields/values"

    values = [{"name": "region", "value": "eu"}, {"id": other["id"], "value": "one"}]
    api.put(path, {"custom_fields": values}, 201)

    kept = [(one["id"], one["value"]) for one in api.get(path)["custom_fields"]]
    assert kept == [(field["id"], "eu"), (other["id"], "one")]


def test_a_value_for_no_field_is_refused_and_a_field_with_nothing_said_is_null(api: AccountApi) -> None:
    service_field(api)
    path = f"/services/{api.service(api.policy(api.user()))['id']}/custom_fields/values"

    refused = api.refused("PUT", path, {"custom_fields": [{"name": "zone", "value": "eu"}]})

    assert refused[2] == ["Field zone was not found"]
    assert [one["value"] for one in api.get(path)["custom_fields"]] == [None]


def test_the_options_of_a_field_have_ids_and_its_name_stays(api: AccountApi) -> None:
    made = api.post("/services/custom_fields", {"field": FIXED})["field"]

    path = f"/services/custom_fields/{made['id']}"
    changed = api.put(path, {"field": {"display_name": "Where"}})["field"]

    assert [one["data"]["value"] for one in changed["field_options"]] == ["eu", "us"]
    assert len({one["id"] for one in changed["field_options"]}) == 2
    assert (changed["name"], changed["display_name"]) == ("region", "Where")


def test_an_incident_type_has_a_parent_and_keeps_its_name(api: AccountApi) -> None:
    made = incident_type(api)

    changed = api.put("/incidents/types/security", {"incident_type": {"enabled": False}})["incident_type"]

    parent = api.get(f"/incidents/types/{made['parent']['id']}")["incident_type"]
    assert (changed["name"], changed["enabled"], parent["name"]) == ("security", False, BASE)


def test_the_list_of_types_leaves_out_what_is_disabled(api: AccountApi) -> None:
    incident_type(api)
    api.put("/incidents/types/security", {"incident_type": {"enabled": False}})

    enabled, every = (api.get("/incidents/types", filter=one)["incident_types"] for one in ("enabled", "all"))

    assert [one["name"] for one in enabled] == [BASE]
    assert [one["name"] for one in every] == [BASE, "security"]


def test_a_field_belongs_to_one_incident_type(api: AccountApi) -> None:
    made = incident_type(api)

    api.post("/incidents/types/security/custom_fields", {"field": FIXED})

    (field,) = api.get(f"/incidents/types/{made['id']}/custom_fields")["fields"]
    (whole,) = api.get("/incidents/types/security/custom_fields", **{"include[]": "field_options"})["fields"]
    assert api.get(f"/incidents/types/{BASE}/custom_fields")["fields"] == []
    assert field["incident_type"] == made["id"]
    assert len(whole["field_options"]) == 2


def test_a_second_field_of_the_same_name_is_refused(api: AccountApi) -> None:
    incident_type(api)
    path = "/incidents/types/security/custom_fields"
    api.post(path, {"field": FIELD})

    assert api.refused("POST", path, {"field": FIELD})[2] == ["Name has already been taken"]
