from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from deploy.sandbox.builtin import is_builtin
from deploy.sandbox.journal import Agent
from deploy.sandbox.request import RestError, invalid, not_found
from deploy.sandbox.store import ALPHABET

if TYPE_CHECKING:
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.request import Request
    from deploy.sandbox.store import Entity


def incident_of(request: Request) -> Incident:
    """The incident the path names."""
    return incident_named(request, request.path["id"])


def incident_named(request: Request, name: str) -> Incident:
    """The incident of this id."""
    incident = request.world.incidents.get(name)
    if incident is None or not request.sees(incident.created_at):
        raise not_found()
    return incident


def acting_user(request: Request) -> Agent:
    """Who acts: the user whose key it is, else the one whose address the From header has.

    An account that lists no users takes any address.
    """
    user = request.user()
    if user is not None:
        return Agent("user", user["id"], "website")
    address = request.call.header(b"from").strip()
    if not address:
        raise invalid("The From header is required: the email address of a user of the account")
    users = [user for user in request.store.all("users") if not is_builtin("users", user)]
    found = next((user for user in users if user.get("email", "").casefold() == address.casefold()), None)
    if found is not None:
        return Agent("user", found["id"], "website")
    if users or "@" not in address:
        raise RestError(400, 1008, "Requester User Not Found", "Requester User Not Found")
    return Agent("user", _made_up_id(address), "website", name=address)


def named(body: Entity, field: str, folder: str, request: Request) -> str | None:
    """The id in a reference of the body, or None where it has none; what the account does not have is refused."""
    reference = body.get(field)
    if reference is None:
        return None
    name = reference if isinstance(reference, str) else reference.get("id") if isinstance(reference, dict) else None
    if not isinstance(name, str) or request.store.get(folder, name) is None:
        raise invalid(f"{field.replace('_', ' ').capitalize()} not found")
    return name


def text_in(body: Entity, field: str, *, required: bool = False) -> str | None:
    """A text of the body that is not blank, or None where it has none."""
    value = body.get(field)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"{field.replace('_', ' ').capitalize()} can't be blank")
    return value


def one_of(body: Entity, field: str, choices: tuple[str, ...]) -> Any:
    """A value of the body that must be one of the choices, or None where it has none."""
    value = body.get(field)
    if value is not None and value not in choices:
        raise invalid(f"{field.replace('_', ' ').capitalize()} must be one of: {', '.join(choices)}")
    return value


def assignees(body: Entity, request: Request) -> tuple[str, ...] | None:
    """The users the body assigns to, or None where it assigns to nobody."""
    given = body.get("assignments")
    if given is None:
        return None
    if not isinstance(given, list) or not given:
        raise invalid("Assignments must name at least one assignee")
    users = [named(one, "assignee", "users", request) if isinstance(one, dict) else None for one in given]
    if None in users:
        raise invalid("Each assignment must name an assignee")
    return tuple(dict.fromkeys(user for user in users if user))


def _made_up_id(address: str) -> str:
    digest = hashlib.sha256(address.casefold().encode()).digest()
    return "P" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:6])
