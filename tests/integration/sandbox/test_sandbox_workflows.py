"""Incident workflows and their triggers of the sandbox's account, over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.account_kit import AccountApi

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

STEP = {
    "name": "Tell",
    "action_configuration": {
        "action_id": "pagerduty.com:note:1",
        "inputs": [{"name": "content", "value": "look"}],
    },
}


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


def workflow(api: AccountApi, name: str = "Major", **more: Any) -> dict[str, Any]:
    body = {"incident_workflow": {"type": "incident_workflow", "name": name, "steps": [STEP], **more}}
    return dict(api.post("/incident_workflows", body)["incident_workflow"])


def trigger(api: AccountApi, of: dict[str, Any], service: dict[str, Any]) -> dict[str, Any]:
    asked = {
        "type": "workflow_trigger",
        "trigger_type": "manual",
        "workflow": {"id": of["id"]},
        "services": [{"id": service["id"]}],
        "is_subscribed_to_all_services": False,
    }
    return dict(api.post("/incident_workflows/triggers", {"trigger": asked})["trigger"])


def service(api: AccountApi) -> dict[str, Any]:
    return api.service(api.policy(api.user()))


def test_a_list_shows_steps_only_where_it_is_asked_for_them(api: AccountApi) -> None:
    workflow(api)

    (bare,) = api.get("/incident_workflows")["incident_workflows"]
    (whole,) = api.get("/incident_workflows", **{"include[]": "steps"})["incident_workflows"]

    assert "steps" not in bare
    assert whole["steps"][0]["action_configuration"]["inputs"] == [{"name": "content", "value": "look"}]


def test_a_step_that_is_sent_back_keeps_its_id(api: AccountApi) -> None:
    made = workflow(api)
    steps = [{"id": made["steps"][0]["id"], **STEP, "name": "Say"}]

    body = {"incident_workflow": {"type": "incident_workflow", "steps": steps}}
    changed = api.put(f"/incident_workflows/{made['id']}", body)["incident_workflow"]

    assert [(step["id"], step["name"]) for step in changed["steps"]] == [(made["steps"][0]["id"], "Say")]
    assert changed["name"] == "Major"


def test_triggers_come_in_pages_by_a_cursor_and_name_what_they_start(api: AccountApi) -> None:
    major, shop = workflow(api), service(api)
    for _ in range(3):
        trigger(api, major, shop)

    first = api.get("/incident_workflows/triggers", limit=2)
    rest = api.get("/incident_workflows/triggers", limit=2, cursor=first["next_cursor"])

    assert (len(first["triggers"]), len(rest["triggers"]), rest["next_cursor"]) == (2, 1, None)
    assert rest["triggers"][0]["workflow"]["name"] == "Major"
    assert rest["triggers"][0]["services"][0]["summary"] == "shop"


def test_a_triggers_workflow_cannot_be_changed(api: AccountApi) -> None:
    made = trigger(api, workflow(api), service(api))
    other = workflow(api, "Minor")

    body = {"trigger": {"type": "workflow_trigger", "workflow": {"id": other["id"]}}}

    assert api.refused("PUT", f"/incident_workflows/triggers/{made['id']}", body)[:2] == (400, 2001)


def test_triggers_go_with_their_workflow(api: AccountApi) -> None:
    major = workflow(api)
    trigger(api, major, service(api))

    api.delete(f"/incident_workflows/{major['id']}", 200)

    assert api.get("/incident_workflows/triggers")["triggers"] == []


def test_a_workflow_of_a_team_that_does_not_exist_is_refused(api: AccountApi) -> None:
    team = {"id": "PNOTEAM", "type": "team_reference"}
    body = {"incident_workflow": {"type": "incident_workflow", "name": "Major", "team": team}}

    assert api.refused("POST", "/incident_workflows", body)[2] == ["Team PNOTEAM was not found"]
