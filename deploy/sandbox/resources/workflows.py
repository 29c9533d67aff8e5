"""Incident workflows and what triggers them: kept, and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.crud import delete, matching, routes
from deploy.sandbox.fields import anything, each, fields, flag, mapping, nullable, one_of, refers_to, text
from deploy.sandbox.names import ids
from deploy.sandbox.paging import cursor
from deploy.sandbox.request import Reply
from deploy.sandbox.resource import Resource, known, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

PATH = "/incident_workflows"
TRIGGERS_PATH = f"{PATH}/triggers"
CONDITIONAL = "conditional"
STEP = fields(
    {
        "id": text(),
        "name": text(255, 1),
        "action_configuration": fields(
            {"action_id": text(least=1), "inputs": each(mapping), "inline_steps_inputs": anything},
            ("action_id", "inputs"),
        ),
    },
    ("name", "action_configuration"),
)


def _is_list(request: Request) -> bool:
    return request.call.path == PATH and request.call.method == "GET"


def _view(_: Request, workflow: Entity) -> Mapping[str, Any]:
    return {"steps": [{**step, "type": "step", "summary": step["name"]} for step in workflow.get("steps", ())]}


def _number(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:  # noqa: ARG001
    new["steps"] = [{**step, "id": step.get("id") or request.store.new_id()} for step in new.get("steps", ())]
    return ()


def _cut(request: Request, old: Entity | None, new: Entity | None) -> None:
    """Its triggers go with a workflow."""
    if new is None and old is not None:
        for one in [
            one for one in request.store.all("incident_workflow_triggers") if one["workflow"]["id"] == old["id"]
        ]:
            request.store.remove("incident_workflow_triggers", one["id"])


WORKFLOWS = known(
    Resource(
        "incident_workflows",
        "incident_workflow",
        fields={
            "name": text(255, 1),
            "description": nullable(text()),
            "team": nullable(refers_to("team")),
            "is_enabled": flag,
            "steps": each(STEP),
        },
        required=("name",),
        defaults={"description": "", "is_enabled": True},
        computed=_view,
        optional=lambda request: ("steps", "team") if _is_list(request) else (),
        unique=("name",),
        verify=_number,
        changed=_cut,
        stamped=True,
    )
)


def _trigger_view(request: Request, trigger: Entity) -> Mapping[str, Any]:
    """The workflow with its name, and services as if they were whole, as this part of the API shows them."""
    workflow = request.store.get("incident_workflows", trigger["workflow"]["id"]) or {}
    address = f"{request.base}{PATH}/{trigger['workflow']['id']}"
    return {
        "workflow": {
            **trigger["workflow"],
            "name": workflow.get("name", ""),
            "self": address,
            "html_url": address,
        },
        "services": [
            {**one, "type": "service", "summary": (request.store.get("services", one["id"]) or {}).get("name", "")}
            for one in trigger.get("services", ())
        ],
    }


def _check(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:  # noqa: ARG001
    if old is not None and (old["workflow"]["id"], old["trigger_type"]) != (new["workflow"]["id"], new["trigger_type"]):
        yield "Workflow and trigger_type can't be changed"
    if new["trigger_type"] == CONDITIONAL and not new.get("condition"):
        yield "Condition can't be blank for a conditional trigger"


TRIGGERS = known(
    Resource(
        "incident_workflow_triggers",
        "trigger",
        type="workflow_trigger",
        where=TRIGGERS_PATH,
        fields={
            "trigger_type": one_of(CONDITIONAL, "manual", "incident_type"),
            "condition": nullable(text()),
            "workflow": refers_to("workflow", typed=False),
            "services": each(refers_to("service", typed=False)),
            "is_subscribed_to_all_services": flag,
            "permissions": fields({"restricted": flag, "team_id": nullable(text())}),
            "is_disabled": flag,
            "incident_types": each(text(least=1)),
        },
        required=("trigger_type", "workflow"),
        defaults={"services": [], "is_subscribed_to_all_services": False, "is_disabled": False},
        computed=_trigger_view,
        filters={
            "workflow_id": lambda _, trigger: [trigger["workflow"]["id"]],
            "service_id": lambda _, trigger: ids(trigger.get("services", ())),
            "trigger_type": lambda _, trigger: [trigger["trigger_type"]],
        },
        verify=_check,
    )
)


def list_triggers(request: Request) -> dict[str, Any]:
    """The page of triggers that the cursor names."""
    found = list(matching(request, TRIGGERS))
    page = cursor(request, "triggers", found, lambda one: show(request, TRIGGERS, one))
    return {**page, "more": page["next_cursor"] is not None}


def remove_workflow(request: Request) -> Reply:
    """200 without a body, where everything else answers 204."""
    delete(request, WORKFLOWS)
    return Reply(200)


ROUTES: Routes = {
    **routes(WORKFLOWS),
    ("DELETE", f"{PATH}/{{id}}"): remove_workflow,
    **routes(TRIGGERS),
    ("GET", TRIGGERS_PATH): list_triggers,
}
