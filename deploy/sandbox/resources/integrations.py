"""Integrations of services: the doors that events come in by, each with its routing key."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from deploy.sandbox.crud import routes
from deploy.sandbox.fields import anything, nullable, one_of, refers_to, text
from deploy.sandbox.names import INTEGRATIONS
from deploy.sandbox.resource import Resource, known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

EMAIL = "generic_email_inbound_integration"


def new_key(seed: str) -> str:
    """An integration key: 32 letters and digits, the same one for the same seed."""
    return hashlib.blake2s(f"key of {seed}".encode(), digest_size=16).hexdigest()


def _view(_: Request, integration: Entity) -> Mapping[str, Any]:
    address = f"{integration['id'].lower()}@sandbox.invalid" if integration["type"] == EMAIL else None
    email = {"integration_email": integration.get("integration_email", address)} if address else {}
    return {"integration_key": integration.get("integration_key"), **email}


def _same(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:  # noqa: ARG001
    if old is not None and new["type"] != old["type"]:
        yield "Type can't be changed"


def _door(request: Request, old: Entity | None, new: Entity | None) -> None:
    """A new integration of the Events APIs has a key that events may use at once; with the integration the key goes."""
    account = request.world.account
    if new is None and old is not None:
        account.close(old)
    elif old is None and new is not None and new["type"] != EMAIL:
        new["integration_key"] = new_key(new["id"])
        account.open(new)
    request.memory.clear()


DOORS = known(
    Resource(
        "integrations",
        "integration",
        fields={
            "type": one_of(*INTEGRATIONS),
            "name": text(255),
            "vendor": nullable(refers_to("vendor")),
            **dict.fromkeys(
                (
                    "integration_email", "email_incident_creation", "email_filter_mode", "email_parsers",
                    "email_parsing_fallback", "email_filters",
                ),
                anything,
            ),
        },
        required=("type",),
        defaults={"name": "Events API V2", "vendor": None},
        computed=_view,
        includes={"services": "service", "vendors": "vendor"},
        verify=_same,
        changed=_door,
        owner="service",
        stamped=True,
    )
)  # fmt: skip

# There is no list of a service's integrations: GET /services?include[]=integrations shows them.
ROUTES: Routes = routes(DOORS, ("create", "get", "update", "delete"))
