from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from deploy.sandbox.store import Entity, Store, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVENTS_V2 = "events_api_v2_inbound_integration"
ROUTING_KEY = re.compile(r"[0-9A-Za-z]{32}")
TOKEN = re.compile(r"\S{20}")


class AccountError(ValueError):
    """The account cannot be as described; the message says why and how to mend it."""


class IntegrationDocument(BaseModel):
    """An integration in an account file."""

    model_config = ConfigDict(extra="forbid")

    id: str = ""
    routing_key: str = Field(pattern=r"^[0-9A-Za-z]{32}$")
    type: str = EVENTS_V2


class ServiceDocument(BaseModel):
    """A service in an account file."""

    model_config = ConfigDict(extra="forbid")

    id: str = ""
    name: str = Field(min_length=1)
    integrations: list[IntegrationDocument] = []


class AccountDocument(BaseModel):
    """An account file: services with their routing keys, and the REST tokens that may read (none = any)."""

    model_config = ConfigDict(extra="forbid")

    services: list[ServiceDocument] = []
    tokens: list[Annotated[str, Field(pattern=r"^\S{20}$")]] = []


@dataclass(frozen=True, slots=True)
class Integration:
    """One door of a service: events with this routing key belong to that service."""

    id: str
    routing_key: str
    type: str
    service_id: str
    service_name: str


class Account:
    """Which routing keys and REST tokens are known, and everything else an account has. Unknown keys are refused."""

    def __init__(self, document: AccountDocument | None = None) -> None:
        self.store = Store()
        self._doors: dict[str, Integration] = {}
        document = document or AccountDocument()
        self.tokens = document.tokens
        for entry in document.services:
            service = self._add("services", {"id": entry.id, "name": entry.name})
            for door in entry.integrations:
                self._open(service, {"id": door.id, "type": door.type, "integration_key": door.routing_key})

    def to_json(self) -> Mapping[str, Any]:
        """The account in the form it can be made from again."""
        services = [{**service, "integrations": []} for service in self.store.all("services")]
        lists = {service["id"]: service["integrations"] for service in services}
        for door in self._doors.values():
            lists[door.service_id].append({"id": door.id, "routing_key": door.routing_key, "type": door.type})
        return {"services": services, "tokens": self.tokens}

    @property
    def services(self) -> Iterable[Entity]:
        """The services, oldest first."""
        return self.store.all("services")

    def integration(self, routing_key: str) -> Integration | None:
        """The integration of this key, or None if the account does not know the key."""
        return self._doors.get(routing_key)

    def add_key(self, routing_key: str, service: str) -> Integration:
        """Make a routing key known to a service, by name or id; a service nobody knows yet is made."""
        found = self._find(service) or self._add("services", {"name": service})
        return self._open(found, {"type": EVENTS_V2, "integration_key": routing_key})

    def revoke_key(self, routing_key: str) -> bool:
        """Forget a routing key: events with it are refused from now on. Says whether it was known."""
        door = self._doors.pop(routing_key, None)
        return door is not None and self.store.remove("integrations", door.id) is not None

    def accepts(self, token: str) -> bool:
        """Whether this REST token may read: one of the account's, or any 20 characters where it lists none."""
        return token in self.tokens if self.tokens else TOKEN.fullmatch(token) is not None

    def _find(self, name: str) -> Entity | None:
        return self.store.get("services", name) or next((one for one in self.services if one["name"] == name), None)

    def _add(self, kind: str, entity: Entity) -> Entity:
        try:
            return self.store.add(kind, entity)
        except StoreError as error:
            raise AccountError(str(error)) from None

    def _open(self, service: Entity, integration: Entity) -> Integration:
        key = integration["integration_key"]
        known = self._doors.get(key)
        if known is not None and known.service_id == service["id"]:
            return known
        if known is not None:
            raise AccountError(f"a routing key belongs to the service {known.service_name} already; use another key")
        service_reference = {"id": service["id"], "type": "service_reference"}
        kept = self._add("integrations", {**integration, "service": service_reference})
        door = Integration(kept["id"], key, kept["type"], service["id"], service["name"])
        self._doors[key] = door
        return door
