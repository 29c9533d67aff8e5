from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import Field

from deploy.sandbox.controls import Body
from deploy.sandbox.webhooks.event import dump, new_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.sandbox.webhooks.delivery import Delivery

OVERSIZE_BYTES = 300 * 1024


class Kind(StrEnum):
    """The ways webhooks can go wrong on their way."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DELAY = "delay"
    FORGE = "forge"
    UNKNOWN = "unknown"
    TRUNCATED = "truncated"
    OVERSIZE = "oversize"


# These send something wrong just before the right one.
EXTRAS = (Kind.FORGE, Kind.UNKNOWN, Kind.TRUNCATED, Kind.OVERSIZE)


class FaultSpec(Body):
    """POST /_sandbox/webhooks/faults."""

    kind: Kind
    subscription: str | None = Field(None, description="only deliveries to this subscription")
    event_type: str | None = Field(None, description="only events of this type")
    count: int | None = Field(None, ge=1, description="only so many deliveries, then the fault is gone")
    seconds: float | None = Field(None, gt=0, description="on the sandbox's clock: delay, duplicate, reorder")
    copies: int = Field(1, ge=1, le=100, description="duplicate: how many more")


@dataclass(slots=True)
class Fault:
    """A fault that is set; `left` counts down with each delivery it spoils."""

    id: str
    spec: FaultSpec
    left: int | None

    def concerns(self, delivery: Delivery) -> bool:
        """Whether it spoils this delivery."""
        return self.spec.subscription in (None, delivery.subscription_id) and self.spec.event_type in (
            None,
            delivery.event_type,
        )

    def to_json(self) -> dict[str, object]:
        """The fault as it was asked for, with its id and what is left of it."""
        return {"id": self.id, **self.spec.model_dump(mode="json", exclude_unset=True), "left": self.left}


class Faults:
    """The faults that are set. The oldest that concerns a delivery spoils it; used up faults vanish."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._ids = itertools.count(1)

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._faults.values()))

    def add(self, spec: FaultSpec) -> Fault:
        """Set a fault from now on."""
        fault = Fault(f"webhook-fault-{next(self._ids)}", spec, spec.count)
        self._faults[fault.id] = fault
        return fault

    def remove(self, fault_id: str) -> bool:
        """Lift a fault; says whether it was set."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Lift all faults."""
        self._faults.clear()

    def take(self, delivery: Delivery) -> FaultSpec | None:
        """What spoils this delivery, counted down; None if nothing does."""
        fault = next((one for one in self._faults.values() if one.concerns(delivery)), None)
        if fault is None:
            return None
        if fault.left is not None:
            fault.left -= 1
            if fault.left == 0:
                self.remove(fault.id)
        return fault.spec


def extra(kind: Kind, delivery: Delivery) -> Delivery:
    """The wrong delivery that goes before the right one: a webhook with an id of its own.

    A forged one is signed with another secret and speaks of the same event; the others are signed well.
    """
    event: dict[str, Any] = json.loads(delivery.body)["event"]
    made = _again(delivery)
    made.fault, made.is_extra, made.is_forged = kind.value, True, kind is Kind.FORGE
    if kind is Kind.FORGE:
        event["event_type"] = "incident.resolved"
        event["data"]["status"] = "resolved"
    else:
        made.event_id = event["id"] = new_id()
    if kind is Kind.OVERSIZE:
        event["data"]["padding"] = "x" * OVERSIZE_BYTES
    if kind is Kind.UNKNOWN:
        event["event_type"] = f"{event['resource_type']}.unheard_of"
        event["data"] = {"type": f"{event['resource_type']}_unheard_of", "unheard": {"of": [1, None]}}
    made.event_type, made.body = event["event_type"], dump(event)
    if kind is Kind.TRUNCATED:
        made.body = made.body[: len(made.body) // 2]
    return made


def copy(delivery: Delivery) -> Delivery:
    """The same webhook once more: same id, same bytes."""
    made = _again(delivery)
    made.id, made.fault, made.is_extra = delivery.id, Kind.DUPLICATE.value, True
    return made


def _again(one: Delivery) -> Delivery:
    return type(one)(one.subscription_id, one.event_id, one.event_type, one.resource_id, one.at, one.body)
