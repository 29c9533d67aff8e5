"""Where routing keys are at PagerDuty: integrations of services, and of event orchestrations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from tasks.utils.rest.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tasks.utils.rest.client import RestClient

_COPIED: Final = ("type", "vendor")


@dataclass(frozen=True)
class Door:
    """One integration: whose it is, and the key that events come in by; '' where PagerDuty does not tell it."""

    id: str
    owner: str
    name: str
    key: str = field(repr=False)
    made: str = ""  # when, as PagerDuty writes it
    copied: Mapping[str, Any] = field(default_factory=dict)  # what another one beside it is made with


class Doors(Protocol):
    """All integrations of one kind."""

    def all(self, key_id: str) -> Iterable[Door]:
        """Every one there is, those first that the key of that id probably belongs to."""
        ...

    def beside(self, door: Door) -> Iterable[Door]:
        """Those of the same owner."""
        ...

    def create(self, door: Door, name: str) -> Door:
        """Another one of the same owner, and like it."""
        ...

    def delete(self, owner: str, integration: str) -> None:
        """Let no event in by it any more. NotFoundError where it is gone."""
        ...


class ServiceDoors:
    """Of services. `likely`: the services a key probably belongs to, by its id."""

    def __init__(self, rest: Callable[[], RestClient], likely: Callable[[str], Iterable[str]]) -> None:
        self._rest = rest
        self._likely = likely

    def all(self, key_id: str) -> Iterator[Door]:
        """Every one there is, those first that the key probably belongs to."""
        for service in self._likely(key_id):
            try:
                yield from self._of(service)
            except NotFoundError:
                continue
        for found in self._rest().services.list(include=["integrations"]):
            yield from (_of_service(found["id"], one) for one in found.get("integrations") or ())

    def beside(self, door: Door) -> Iterator[Door]:
        """Those of the same service."""
        return self._of(door.owner)

    def create(self, door: Door, name: str) -> Door:
        """Another one of the same service, type and vendor."""
        made = self._rest().services.integrations_of(door.owner).create({**door.copied, "name": name})
        return _of_service(door.owner, made)

    def delete(self, owner: str, integration: str) -> None:
        """Delete it. PagerDuty's documents do not name this call, and PagerDuty takes it."""
        self._rest().services.integrations_of(owner).delete(integration)

    def _of(self, service: str) -> Iterator[Door]:
        return (_of_service(service, one) for one in self._rest().services.integrations(service))


class OrchestrationDoors:
    """Of event orchestrations, whose rules hold for all of their integrations."""

    def __init__(self, rest: Callable[[], RestClient]) -> None:
        self._rest = rest

    def all(self, key_id: str) -> Iterator[Door]:
        """Every one there is."""
        del key_id
        for found in self._rest().orchestrations.list():
            yield from self._of(found["id"])

    def beside(self, door: Door) -> Iterator[Door]:
        """Those of the same orchestration."""
        return self._of(door.owner)

    def create(self, door: Door, name: str) -> Door:
        """Another one of the same orchestration."""
        return _of_orchestration(
            door.owner, self._rest().orchestrations.integrations(door.owner).create({"label": name})
        )

    def delete(self, owner: str, integration: str) -> None:
        """Delete it."""
        self._rest().orchestrations.integrations(owner).delete(integration)

    def _of(self, orchestration: str) -> Iterator[Door]:
        found = self._rest().orchestrations.integrations(orchestration).list()
        return (_of_orchestration(orchestration, one) for one in found)


def _of_service(owner: str, one: Mapping[str, Any]) -> Door:
    copied = {part: one[part] for part in _COPIED if one.get(part)}
    name = str(one.get("name") or one.get("summary") or "")
    return Door(one["id"], owner, name, str(one.get("integration_key") or ""), _made(one), copied)


def _of_orchestration(owner: str, one: Mapping[str, Any]) -> Door:
    key = str((one.get("parameters") or {}).get("routing_key") or "")
    return Door(one["id"], owner, str(one.get("label") or ""), key, _made(one))


def _made(one: Mapping[str, Any]) -> str:
    return str(one.get("created_at") or "")
