"""Routing keys: of integrations of PagerDuty's services, and of event orchestrations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from config.keystore import value_id
from tasks.tokens.rotation.turner import CannotRotateError, Made, NotProvenError
from tasks.utils.error_handler import TransientError
from tasks.utils.rest.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tasks.tokens.rotation.models import Rotation
    from tasks.tokens.rotation.turner import Found
    from tasks.utils.rest.client import RestClient

TRIES: Final = 6
PAUSE: Final = 2.0  # seconds: PagerDuty may take a moment until it knows a new key everywhere
_MARK: Final = re.compile(r" *\[tocsin [0-9a-f]{8}\]$")
_COPIED: Final = ("type", "vendor")


class Home(NamedTuple):
    """What a key belongs to: its integration, and whose that is."""

    owner: str
    integration: dict[str, Any]


@dataclass(frozen=True)
class Outside:
    """What the turners of routing keys reach PagerDuty by. `send`: the status that the end of an alert that never was is answered with."""

    rest: Callable[[], RestClient]
    send: Callable[[Found], int]
    open_with: Callable[[str], int]  # alerts that a key has opened and that are not ended there yet
    pause: Callable[[float], None]


class RoutingTurner:
    """What both kinds have in common."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    @property
    def _rest(self) -> RestClient:
        return self._outside.rest()

    def make(self, old: Found, rotation: Rotation) -> Made:
        """A new integration beside the old one; the one of this rotation, if it is there already."""
        home = next((one for one in self._homes(old.id) if value_id(self._key(one.integration)) == old.id), None)
        if home is None:
            what = f"no integration of this account has the key {old.id} ({', '.join(old.where)})"
            raise CannotRotateError(f"{what}; it may belong to another account, or be out of reach of this REST key")
        mark = f"[tocsin {rotation.id}]"
        made = next((one for one in self._beside(home.owner) if mark in self._name(one)), None)
        made = made or self._create(home, f"{_MARK.sub('', self._name(home.integration))} {mark}".strip())
        key = self._key(made)
        if not key:
            raise TransientError(f"PagerDuty made the integration {made['id']} and does not tell its key; try again")
        return Made(key, made["id"], home.integration["id"], home.owner)

    def prove(self, new: Found, rotation: Rotation) -> None:
        """PagerDuty takes an event with it. It calls nobody: it ends an alert that never was."""
        del rotation
        status = 0
        for _ in range(TRIES):
            status = self._outside.send(new)
            if status == 202:
                return
            self._outside.pause(PAUSE)
        raise NotProvenError(
            f"PagerDuty answers {status or 'nothing'} to events with the new key; the old one stays in force"
        )

    def needed(self, rotation: Rotation) -> str:
        """Whether alerts are open that the former key opened."""
        count = self._outside.open_with(rotation.old)
        return f"{count} alerts are open that the former key opened; their ends go to it" if count else ""

    def remove(self, rotation: Rotation) -> None:
        """Delete the former integration."""
        try:
            self._delete(rotation.owner, rotation.former)
        except NotFoundError:
            return  # before a crash, or by somebody else

    def _homes(self, key_id: str) -> Iterable[Home]:
        raise NotImplementedError

    def _beside(self, owner: str) -> Iterable[dict[str, Any]]:
        raise NotImplementedError

    def _create(self, home: Home, name: str) -> dict[str, Any]:
        raise NotImplementedError

    def _delete(self, owner: str, integration: str) -> None:
        raise NotImplementedError

    @staticmethod
    def _name(integration: dict[str, Any]) -> str:
        raise NotImplementedError

    @staticmethod
    def _key(integration: dict[str, Any]) -> str:
        raise NotImplementedError


class IntegrationTurner(RoutingTurner):
    """Integrations of services. `likely`: the services a key probably belongs to, by its id."""

    def __init__(self, outside: Outside, likely: Callable[[str], Iterable[str]]) -> None:
        super().__init__(outside)
        self._likely = likely

    def _homes(self, key_id: str) -> Iterator[Home]:
        for service in self._likely(key_id):
            try:
                yield from (Home(service, one) for one in self._rest.services.integrations(service))
            except NotFoundError:
                continue
        for found in self._rest.services.list(include=["integrations"]):
            yield from (Home(found["id"], one) for one in found.get("integrations") or ())

    def _beside(self, owner: str) -> Iterable[dict[str, Any]]:
        return self._rest.services.integrations(owner)

    def _create(self, home: Home, name: str) -> dict[str, Any]:
        copied = {part: home.integration[part] for part in _COPIED if home.integration.get(part)}
        return self._rest.services.integrations_of(home.owner).create({**copied, "name": name})

    def _delete(self, owner: str, integration: str) -> None:
        # PagerDuty's documents do not name this call, and PagerDuty takes it.
        self._rest.services.integrations_of(owner).delete(integration)

    @staticmethod
    def _name(integration: dict[str, Any]) -> str:
        return str(integration.get("name") or integration.get("summary") or "")

    @staticmethod
    def _key(integration: dict[str, Any]) -> str:
        return str(integration.get("integration_key") or "")


class OrchestrationTurner(RoutingTurner):
    """Integrations of event orchestrations."""

    def _homes(self, key_id: str) -> Iterator[Home]:
        del key_id
        for found in self._rest.orchestrations.list():
            yield from (Home(found["id"], one) for one in self._beside(found["id"]))

    def _beside(self, owner: str) -> Iterable[dict[str, Any]]:
        return self._rest.orchestrations.integrations(owner).list()

    def _create(self, home: Home, name: str) -> dict[str, Any]:
        return self._rest.orchestrations.integrations(home.owner).create({"label": name})

    def _delete(self, owner: str, integration: str) -> None:
        self._rest.orchestrations.integrations(owner).delete(integration)

    @staticmethod
    def _name(integration: dict[str, Any]) -> str:
        return str(integration.get("label") or "")

    @staticmethod
    def _key(integration: dict[str, Any]) -> str:
        return str((integration.get("parameters") or {}).get("routing_key") or "")
