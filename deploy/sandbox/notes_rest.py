from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.acting import acting_user, incident_of, text_in
from deploy.sandbox.clock import timestamp
from deploy.sandbox.references import References
from deploy.sandbox.request import Reply, RestError, invalid, not_found
from deploy.sandbox.shapes import responder_request_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.journal import Agent
    from deploy.sandbox.request import Request, Routes

MOST_NOTES = 2000
MOST_TARGETS = 100
RESPONDING = "coordinated_responding"
TARGETS = {"user": "users", "escalation_policy": "escalation_policies"}


def list_notes(request: Request) -> dict[str, Any]:
    """The incident's notes, newest first; they come all at once."""
    return {"notes": [_note(request, note) for note in reversed(incident_of(request).notes)]}


def add_note(request: Request) -> dict[str, Any]:
    """A new note."""
    by, incident = acting_user(request), incident_of(request)
    content = text_in(request.wrapped("note"), "content", required=True) or ""
    if len(incident.notes) >= MOST_NOTES:
        raise invalid(f"An incident cannot have more than {MOST_NOTES} notes")
    return {"note": _note(request, request.world.deeds.note(incident, content, by, request.now))}


def change_note(request: Request) -> dict[str, Any]:
    """The note, with other words."""
    acting_user(request)
    note = _note_of(request)
    note.update(content=text_in(request.wrapped("note"), "content", required=True), changed_at=request.now)
    return {"note": _note(request, note)}


def delete_note(request: Request) -> Reply:
    """204: the note is gone; the incident's log still has it."""
    note, incident = _note_of(request), incident_of(request)
    incident.notes = tuple(one for one in incident.notes if one is not note)
    return Reply(204)


def add_status_update(request: Request) -> dict[str, Any]:
    """A new status update."""
    by, incident, body = acting_user(request), incident_of(request), request.body()
    fields = {name: text_in(body, name, required=name == "message") for name in ("message", "subject", "html_message")}
    said = {name: value for name, value in fields.items() if value}
    update = request.world.deeds.status_update(incident, said, by, request.now)
    names = References.of(request)
    shown = {"id": update["id"], **said, "created_at": timestamp(update["at"]), "sender": names.actor(by)}
    return {"status_update": shown}


def request_responders(request: Request) -> dict[str, Any]:
    """A new responder request; accounts without the ability must pay first."""
    _check_ability(request)
    incident, body = incident_of(request), request.body()
    requester = _requester(request, body)
    message = text_in(body, "message", required=True) or ""
    targets = _targets(request, body)
    made = request.world.deeds.request_responders(incident, requester, message, targets, request.now)
    return {"responder_request": responder_request_json(References.of(request), incident, made)}


def cancel_responders(request: Request) -> dict[str, Any]:
    """What became of each request that was to be cancelled."""
    _check_ability(request)
    incident, body = incident_of(request), request.body()
    _requester(request, body)
    cancelled = request.world.deeds.cancel_responders(incident, _targets(request, body), request.now)
    return {
        "responder_request_targets": [
            {"type": f"{kind}_reference", "id": name, "result": result} for kind, name, result in cancelled
        ]
    }


ROUTES: Routes = {
    ("GET", "/incidents/{id}/notes"): list_notes,
    ("POST", "/incidents/{id}/notes"): add_note,
    ("PUT", "/incidents/{id}/notes/{note_id}"): change_note,
    ("DELETE", "/incidents/{id}/notes/{note_id}"): delete_note,
    ("POST", "/incidents/{id}/status_updates"): add_status_update,
    ("POST", "/incidents/{id}/responder_requests"): request_responders,
    ("PUT", "/incidents/{id}/responder_requests/cancel"): cancel_responders,
}


def _note_of(request: Request) -> dict[str, Any]:
    found = next((one for one in incident_of(request).notes if one["id"] == request.path["note_id"]), None)
    if found is None:
        raise not_found()
    return found


def _note(request: Request, note: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": note["id"],
        "user": _author(request, note["by"]),
        "channel": {"summary": "The PagerDuty website or APIs"},
        "content": note["content"],
        "created_at": timestamp(note["at"]),
        **({"updated_at": timestamp(note["changed_at"])} if "changed_at" in note else {}),
    }


def _author(request: Request, by: Agent) -> dict[str, Any]:
    """Who wrote a note; what a rule wrote nobody has, and it is shown as a bot's."""
    shown = References.of(request).actor(by)
    return {**shown, "type": "bot_user_reference"} if by.service_id else shown


def _check_ability(request: Request) -> None:
    if not request.world.account.has_ability(RESPONDING):
        raise RestError(402, 2014, "Account Does Not Have Required Ability", f"Account is not able: {RESPONDING}")


def _requester(request: Request, body: Mapping[str, Any]) -> str:
    name = body.get("requester_id")
    if not isinstance(name, str) or request.store.get("users", name) is None:
        raise invalid("requester_id must be the id of a user")
    return name


def _targets(request: Request, body: Mapping[str, Any]) -> list[tuple[str, str]]:
    given = body.get("responder_request_targets")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_TARGETS:
        raise invalid("responder_request_targets must name users or escalation policies")
    return [_target(request, one) for one in given]


def _target(request: Request, given: object) -> tuple[str, str]:
    # Both ways occur: the schema has the target itself, PagerDuty's examples wrap it once more.
    inner = given.get("responder_request_target", given) if isinstance(given, dict) else {}
    kind, name = str(inner.get("type", "")).removesuffix("_reference"), inner.get("id")
    if kind not in TARGETS or not isinstance(name, str):
        raise invalid("Each responder request target must be a user or an escalation policy")
    if request.store.get(TARGETS[kind], name) is None:
        raise not_found()
    return kind, name
