from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy.sandbox import documents
from deploy.sandbox.access.credentials import Credentials
from deploy.sandbox.builtin import ABILITIES, add_default_policy, furnish
from deploy.sandbox.documents import EVENTS_V2, OTHERWISE, AccountDocument
from deploy.sandbox.names import reference
from deploy.sandbox.store import Entity, Store, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROUTING_KEY = re.compile(r"[0-9A-Za-z]{32}")


class AccountError(ValueError):
    """The account cannot be as described; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Integration:
    """One door of a service: events with this routing key belong to that service."""

    id: str
    routing_key: str
    type: str
    service_id: str
    service_name: str
    orchestration_id: str = ""
    """The event orchestration that says which service an event goes to; such a door has no service of its own."""


class Account:
    """Which routing keys are known, who may call, and everything else an account has. Unknown keys are refused."""

    def __init__(self, document: AccountDocument | None = None) -> None:
        self.store = Store()
        self._doors: dict[str, Integration] = {}
        document = document or AccountDocument()
        self._access = document.model_dump(include={"region", "tokens", "oauth_clients"}, exclude_defaults=True)
        self.credentials = Credentials(document.region, document.tokens, document.oauth_clients)
        self.abilities = document.abilities
        self.suppressions = list(document.suppressions)
        self.webhook_incident_key = document.webhook_incident_key
        for kind, entities in document.lists():
            for entity in entities:
                self._add(kind, dict(entity))
        for subscription in document.webhook_subscriptions:
            self._add("webhook_subscriptions", subscription.to_entity())
        furnish(self.store)
        for entry in document.services:
            self._enter(entry.model_dump(exclude_unset=True))
        problems = documents.problems(self.store)
        if problems:
            raise AccountError("; ".join(problems))
        for kind in self.store.kinds():
            self.store.reserve(list(self.store.all(kind)))
        documents.number_parts(self.store)
        for orchestration in self.store.all("event_orchestrations"):
            self.open_orchestration(orchestration)

    def to_json(self) -> Mapping[str, Any]:
        """The account in the form it can be made from again."""
        doors: dict[str, list[Entity]] = {}
        for door in self.store.all("integrations"):
            doors.setdefault(door["service"]["id"], []).append(door)
        names = [name for name in AccountDocument.model_fields if name not in OTHERWISE] + ["webhook_subscriptions"]
        return {
            "services": [documents.service_json(one, doors.get(one["id"], ())) for one in self.services],
            "tokens": [],
            **self._access,
            **({} if self.abilities is None else {"abilities": self.abilities}),
            **(
                {"suppressions": [one.model_dump(exclude_none=True) for one in self.suppressions]}
                if self.suppressions
                else {}
            ),
            **({"webhook_incident_key": True} if self.webhook_incident_key else {}),
            **documents.to_json(self.store, names),
        }

    @property
    def services(self) -> Iterable[Entity]:
        """The services, oldest first."""
        return self.store.all("services")

    def doors(self) -> Iterable[Integration]:
        """The integrations that events can come in by, oldest first."""
        return self._doors.values()

    def integration(self, routing_key: str) -> Integration | None:
        """The integration of this key, or None if the account does not know the key."""
        return self._doors.get(routing_key)

    def add_key(self, routing_key: str, service: str) -> Integration:
        """Make a routing key known to a service, by name or id; a service nobody knows yet is made."""
        found = self._find(service) or self._enter({"name": service})
        known = self._doors.get(routing_key)
        if known is not None and known.service_id == found["id"]:
            return known
        self._check(routing_key)
        door = {"type": EVENTS_V2, "integration_key": routing_key, "service": reference("service", found["id"])}
        return self.open(self._add("integrations", door))

    def revoke_key(self, routing_key: str) -> bool:
        """Forget a routing key: events with it are refused from now on. Says whether it was known."""
        door = self._doors.pop(routing_key, None)
        return door is not None and self.store.remove("integrations", door.id) is not None

    def open(self, integration: Entity) -> Integration:
        """Let events with this integration's key in."""
        service = self.store.get("services", integration["service"]["id"]) or {}
        key = integration["integration_key"]
        door = Integration(integration["id"], key, integration["type"], service["id"], service["name"])
        self._doors[key] = door
        return door

    def close(self, integration: Entity) -> None:
        """Forget an integration: events with its key are refused from now on."""
        self.store.remove("integrations", integration["id"])
        self._doors.pop(integration.get("integration_key") or "", None)

    def open_orchestration(self, orchestration: Entity) -> None:
        """Let events with the keys of an event orchestration in."""
        for one in orchestration.get("integrations", ()):
            key = one["parameters"]["routing_key"]
            self._doors[key] = Integration(one["id"], key, EVENTS_V2, "", orchestration["name"], orchestration["id"])

    def shut(self, routing_key: str) -> None:
        """Refuse events with this key from now on."""
        self._doors.pop(routing_key, None)

    def rename(self, service: Entity) -> None:
        """Let what comes in by the doors of a service know its new name."""
        for door in self.store.all("integrations"):
            if door["service"]["id"] == service["id"] and door.get("integration_key"):
                self.open(door)

    def has_ability(self, name: str) -> bool:
        """Whether the account has paid for this; one that lists no abilities has all."""
        return name in (ABILITIES if self.abilities is None else self.abilities)

    def _find(self, name: str) -> Entity | None:
        return self.store.get("services", name) or next((one for one in self.services if one["name"] == name), None)

    def _enter(self, described: Entity) -> Entity:
        doors = described.pop("integrations", [])
        if "escalation_policy" not in described:
            add_default_policy(self.store)
        service = self._add("services", described)
        for each in doors:
            key = each.pop("routing_key", None)
            if key is not None:
                self._check(key)
            named = {"integration_key": key} if key else {}
            door = {"type": EVENTS_V2, **each, **named, "service": reference("service", service["id"])}
            kept = self._add("integrations", door)
            if key:
                self.open(kept)
        return service

    def _check(self, routing_key: str) -> None:
        known = self._doors.get(routing_key)
        if known is not None:
            raise AccountError(f"a routing key belongs to the service {known.service_name} already; use another key")

    def _add(self, kind: str, entity: Entity) -> Entity:
        if not isinstance(entity.get("id", ""), str):
            raise AccountError(f"{kind}: an id must be a string")
        try:
            return self.store.add(kind, entity)
        except StoreError as error:
            raise AccountError(str(error)) from None
