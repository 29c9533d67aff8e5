from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deploy.sandbox.call import Answer, Call, Cut, Outcome, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.sandbox.endpoint import Endpoint

SERVER_ERROR = to_json({"error": {"message": "Internal Server Error", "code": 2000}})
SLOW_BY_DEFAULT = 15.0


class Kind(StrEnum):
    """The ways the sandbox can misbehave."""

    THROTTLE = "throttle"
    ERROR = "error"
    SLOW = "slow"
    RESET = "reset"
    TRUNCATED = "truncated"
    OUTAGE = "outage"
    SWALLOW = "swallow"
    REJECT = "reject"


STATUSES = {Kind.ERROR: range(500, 600), Kind.OUTAGE: range(500, 600), Kind.REJECT: range(400, 500)}


class FaultSpec(BaseModel):
    """A fault as it is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    key: str | None = Field(None, description="only events with this routing key")
    path: str | None = Field(None, description="only paths that begin so", pattern="^/")
    exact: bool = Field(default=False, description="only that very path, not those that begin so")
    method: str | None = Field(
        None, description="only requests of this method", pattern="^(GET|POST|PUT|PATCH|DELETE)$"
    )
    count: int | None = Field(None, ge=1, description="only so many requests, then the fault is gone")
    seconds: float | None = Field(None, gt=0, description="only for so long on the sandbox's clock")
    status: int | None = Field(None, description="the status to answer with: error, outage, reject")
    delay_seconds: float | None = Field(None, ge=0, le=3600, description="hold the answer back so long, in real time")
    headers: bool | None = Field(None, description="throttle: with or without headers; unset = as the API does")
    ingest: bool | None = Field(None, description="whether the request takes effect although its answer fails")
    body: object = Field(None, description="the body to answer with: JSON, or a string sent as it is")

    @model_validator(mode="after")
    def _check_status(self) -> Self:
        allowed = STATUSES.get(self.kind)
        if self.status is not None and (allowed is None or self.status not in allowed):
            wanted = f"{allowed.start}-{allowed.stop - 1}" if allowed else "no status"
            raise ValueError(f"a fault of kind {self.kind.value} takes {wanted}, not {self.status}")
        return self

    @property
    def takes_effect(self) -> bool:
        """Whether a spoilt request still does what it asked for; slow and truncated answers are answers."""
        return self.kind in (Kind.SLOW, Kind.TRUNCATED) if self.ingest is None else self.ingest


@dataclass(slots=True)
class Fault:
    """A fault that is set. `until` is on the sandbox's clock; `left` counts down with each request spoilt."""

    id: str
    spec: FaultSpec
    until: float | None
    left: int | None

    def concerns(self, call: Call) -> bool:
        """Whether this request is to be spoilt, as long as the fault lasts."""
        path, method = self.spec.path, self.spec.method
        if path is not None and not (call.path == path if self.spec.exact else call.path.startswith(path)):
            return False
        if method is not None and method != call.method:
            return False
        return self.spec.key is None or self.spec.key == call.routing_key

    def spoil(self, call: Call, endpoint: Endpoint) -> Answer:
        """The answer this fault makes of the request; effects the request still has, it has here."""
        answer = self._answer(call, endpoint)
        if self.spec.delay_seconds is not None:
            answer.delay = self.spec.delay_seconds
        elif self.spec.kind is Kind.SLOW:
            answer.delay = SLOW_BY_DEFAULT
        return answer

    def to_json(self) -> dict[str, object]:
        """The fault as it was asked for, with its id and what is left of it."""
        asked = self.spec.model_dump(mode="json", exclude_unset=True)
        return {"id": self.id, **asked, "left": self.left, "until": self.until}

    def _answer(self, call: Call, endpoint: Endpoint) -> Answer:
        match self.spec.kind:
            case Kind.THROTTLE:
                return endpoint.throttled(headers=self.spec.headers)
            case Kind.SWALLOW:
                return endpoint.swallowed(call)
            case Kind.REJECT:
                return Answer(self.spec.status or 400, self._body(endpoint.rejected()), Outcome.INVALID)
            case _:
                effect = endpoint.answer(call) if self.spec.takes_effect else None
                return self._broken(effect or Answer(503, SERVER_ERROR, Outcome.FAILED))

    def _broken(self, answer: Answer) -> Answer:
        if self.spec.kind is Kind.SLOW:
            return answer
        if self.spec.kind is Kind.TRUNCATED:
            answer.cut = Cut.TRUNCATED
            return answer
        if self.spec.kind is Kind.ERROR or self.spec.status is not None:
            return Answer(self.spec.status or 500, self._body(SERVER_ERROR), answer.outcome)
        return Answer(0, b"", answer.outcome, cut=Cut.RESET)

    def _body(self, default: bytes) -> bytes:
        if self.spec.body is None:
            return default
        return self.spec.body.encode() if isinstance(self.spec.body, str) else to_json(self.spec.body)


class Faults:
    """The faults that are set. The oldest that concerns a request decides it; used up faults vanish."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._ids = itertools.count(1)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._faults.values()))

    def add(self, spec: FaultSpec, now: float) -> Fault:
        """Set a fault from now on."""
        until = None if spec.seconds is None else now + spec.seconds
        fault = Fault(f"fault-{next(self._ids)}", spec, until, spec.count)
        self._faults[fault.id] = fault
        return fault

    def remove(self, fault_id: str) -> bool:
        """Lift a fault; says whether it was set."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Lift all faults."""
        self._faults.clear()

    def expire(self, now: float) -> None:
        """Lift the faults whose time is over."""
        for fault in self:
            if fault.until is not None and now >= fault.until:
                self.remove(fault.id)

    def take(self, call: Call, now: float) -> Fault | None:
        """The fault that spoils this request, counted down; None if the request is to pass."""
        self.expire(now)
        fault = next((one for one in self if one.concerns(call)), None)
        if fault is not None and fault.left is not None:
            fault.left -= 1
            if fault.left == 0:
                self.remove(fault.id)
        return fault
