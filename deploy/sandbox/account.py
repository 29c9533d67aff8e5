from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

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


@dataclass(slots=True)
class Service:
    """A service and its integrations by routing key."""

    id: str
    name: str
    integrations: dict[str, Integration] = field(default_factory=dict)


class Account:
    """Which routing keys and REST tokens are known. Unknown keys are refused."""

    def __init__(self, document: AccountDocument | None = None) -> None:
        self.services: dict[str, Service] = {}
        self._integrations: dict[str, Integration] = {}
        self._made = 0
        document = document or AccountDocument()
        self.tokens = document.tokens
        for entry in document.services:
            service = self._add_service(entry.id, entry.name)
            for door in entry.integrations:
                self._add_integration(service, door)

    def to_document(self) -> AccountDocument:
        """The account in the form it can be made from again."""
        services = [
            ServiceDocument(
                id=service.id,
                name=service.name,
                integrations=[
                    IntegrationDocument(id=door.id, routing_key=door.routing_key, type=door.type)
                    for door in service.integrations.values()
                ],
            )
            for service in self.services.values()
        ]
        return AccountDocument(services=services, tokens=self.tokens)

    def integration(self, routing_key: str) -> Integration | None:
        """The integration of this key, or None if the account does not know the key."""
        return self._integrations.get(routing_key)

    def add_key(self, routing_key: str, service: str) -> Integration:
        """Make a routing key known to a service, by name or id; a service nobody knows yet is made."""
        door = IntegrationDocument(routing_key=routing_key)
        return self._add_integration(self._find(service) or self._add_service("", service), door)

    def revoke_key(self, routing_key: str) -> bool:
        """Forget a routing key: events with it are refused from now on. Says whether it was known."""
        door = self._integrations.pop(routing_key, None)
        if door is None:
            return False
        del self.services[door.service_id].integrations[routing_key]
        return True

    def accepts(self, token: str) -> bool:
        """Whether this REST token may read: one of the account's, or any 20 characters where it lists none."""
        return token in self.tokens if self.tokens else TOKEN.fullmatch(token) is not None

    def _find(self, name: str) -> Service | None:
        return self.services.get(name) or next((one for one in self.services.values() if one.name == name), None)

    def _add_service(self, service_id: str, name: str) -> Service:
        service = Service(service_id or self._new_id(), name)
        if service.id in self.services:
            raise AccountError(f"two services have the id {service.id}; give each its own")
        self.services[service.id] = service
        return service

    def _add_integration(self, service: Service, document: IntegrationDocument) -> Integration:
        key = document.routing_key
        known = self._integrations.get(key)
        if known is not None and known.service_id == service.id:
            return known
        if known is not None:
            raise AccountError(f"a routing key belongs to the service {known.service_name} already; use another key")
        door = Integration(document.id or self._new_id(), key, document.type, service.id, service.name)
        service.integrations[key] = door
        self._integrations[key] = door
        return door

    def _new_id(self) -> str:
        self._made += 1
        return f"PSANDB{self._made:04d}"
