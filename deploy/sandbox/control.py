from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import Field

from deploy.sandbox.account import Account, AccountError
from deploy.sandbox.call import Answer, Call, Outcome, to_json
from deploy.sandbox.controls import Body, ControlError, last, number, read
from deploy.sandbox.documents import AccountDocument
from deploy.sandbox.faults import FaultSpec
from deploy.sandbox.planting import Planted, PlantingError, plant
from deploy.sandbox.quiet import Suppression
from deploy.sandbox.webhooks.verbs import verbs as webhook_verbs

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.sandbox.controls import Verbs
    from deploy.sandbox.world import World

PREFIX = "/_sandbox"
DEFAULT_PAGE = 10_000
LARGEST_PAGE = 100_000
DEFAULT_EXCHANGES = 1_000


class NewKey(Body):
    """POST /_sandbox/keys."""

    key: str = Field(pattern=r"^[0-9A-Za-z]{32}$")
    service: str = Field(min_length=1)


class Advance(Body):
    """POST /_sandbox/clock."""

    advance_seconds: float = Field(ge=0, le=10 * 366 * 86_400)


class Sink(Body):
    """POST /_sandbox/sink."""

    on: bool


class Limits(Body):
    """POST /_sandbox/limits. A field left out stays as it is; null lifts the limit."""

    events_per_minute: int | None = Field(None, ge=0)
    rest_per_minute: int | None = Field(None, ge=0)
    read_delay_seconds: float = Field(0.0, ge=0, description="how far REST reads are behind what comes and goes")


class Reset(Body):
    """POST /_sandbox/reset."""

    keep_account: bool = False


class Control:
    """The control API: JSON in, JSON out, plain English in `error` where a request cannot be met."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._verbs: Verbs = {
            ("GET", "/state"): lambda _: world.to_json(),
            ("POST", "/keys"): self._add_key,
            ("GET", "/account"): lambda _: world.account.to_json(),
            ("PUT", "/account"): self._put_account,
            ("GET", "/faults"): self._faults,
            ("POST", "/faults"): self._add_fault,
            ("DELETE", "/faults"): self._clear_faults,
            ("GET", "/clock"): lambda _: self._clock(),
            ("POST", "/clock"): self._advance,
            ("GET", "/log"): self._log,
            ("DELETE", "/log"): self._clear_log,
            ("GET", "/exchanges"): self._exchanges,
            ("POST", "/incidents"): lambda call: plant(world, read(Planted, call)),
            ("GET", "/suppressions"): lambda _: self._suppressions(),
            ("POST", "/suppressions"): self._suppress,
            ("DELETE", "/suppressions"): self._clear_suppressions,
            ("POST", "/tokens/revoke"): lambda _: {"revoked": world.account.credentials.revoke()},
            ("POST", "/sink"): self._sink,
            ("POST", "/limits"): self._limits,
            ("POST", "/reset"): self._reset,
            **webhook_verbs(world),
        }

    def answer(self, call: Call) -> Answer:
        """Do what the request asks for."""
        try:
            return _answer(HTTPStatus.OK, self._verb(call)(call))
        except ControlError as error:
            return _answer(error.status, {"error": str(error)})
        except (AccountError, PlantingError) as error:
            return _answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _verb(self, call: Call) -> Callable[[Call], object]:
        path = call.path.removeprefix(PREFIX)
        verb = self._verbs.get((call.method, path))
        if verb is not None:
            return verb
        if call.method == "DELETE" and path.startswith("/faults/"):
            return self._remove_fault
        if call.method == "DELETE" and path.startswith("/keys/"):
            return self._revoke_key
        raise ControlError(404, f"no {call.method} {call.path} here; GET {PREFIX} lists what there is")

    def _add_key(self, call: Call) -> object:
        asked = read(NewKey, call)
        door = self._world.account.add_key(asked.key, asked.service)
        return {"key": door.routing_key, "service": {"id": door.service_id, "name": door.service_name}}

    def _revoke_key(self, call: Call) -> object:
        if not self._world.account.revoke_key(last(call)):
            raise ControlError(404, "no such routing key; GET /_sandbox/account lists them")
        return {}

    def _put_account(self, call: Call) -> object:
        self._world.enter(Account(read(AccountDocument, call)))
        return self._world.account.to_json()

    def _faults(self, _: Call) -> object:
        self._world.faults.expire(self._world.clock.now())
        return {"faults": [fault.to_json() for fault in self._world.faults]}

    def _add_fault(self, call: Call) -> object:
        return self._world.faults.add(read(FaultSpec, call), self._world.clock.now()).to_json()

    def _remove_fault(self, call: Call) -> object:
        if not self._world.faults.remove(last(call)):
            raise ControlError(404, "no such fault; it may be used up. GET /_sandbox/faults lists what is set")
        return {}

    def _clear_faults(self, _: Call) -> object:
        self._world.faults.clear()
        return {}

    def _clock(self) -> object:
        return {"now": self._world.clock.now(), "offset_seconds": self._world.clock.offset}

    def _advance(self, call: Call) -> object:
        self._world.schedule.advance(read(Advance, call).advance_seconds)
        return self._clock()

    def _suppressions(self) -> object:
        return {"suppressions": [rule.model_dump(exclude_none=True) for rule in self._world.account.suppressions]}

    def _suppress(self, call: Call) -> object:
        self._world.account.suppressions.append(read(Suppression, call))
        return self._suppressions()

    def _clear_suppressions(self, _: Call) -> object:
        self._world.account.suppressions.clear()
        return {}

    def _log(self, call: Call) -> object:
        limit = min(number(call, "limit", DEFAULT_PAGE), LARGEST_PAGE)
        return self._world.log.page(number(call, "since", 0), limit, bodies=number(call, "body", 1) == 1)

    def _clear_log(self, _: Call) -> object:
        self._world.log.clear()
        return {}

    def _exchanges(self, call: Call) -> object:
        limit = min(number(call, "limit", DEFAULT_EXCHANGES), DEFAULT_PAGE)
        of_events = call.parameters().get("of", ("rest",))[0] == "events"
        kept = self._world.events_exchanges if of_events else self._world.exchanges
        return kept.page(number(call, "since", 0), limit)

    def _sink(self, call: Call) -> object:
        self._world.sink = read(Sink, call).on
        return {"on": self._world.sink}

    def _limits(self, call: Call) -> object:
        asked = read(Limits, call)
        if "events_per_minute" in asked.model_fields_set:
            self._world.events_window.limit = asked.events_per_minute
        if "rest_per_minute" in asked.model_fields_set:
            self._world.rest_window.limit = asked.rest_per_minute
        if "read_delay_seconds" in asked.model_fields_set:
            self._world.set_read_delay(asked.read_delay_seconds)
        return self._world.to_json()["limits"]

    def _reset(self, call: Call) -> object:
        self._world.reset(keep_account=read(Reset, call).keep_account)
        return {}


def _answer(status: int, body: object) -> Answer:
    return Answer(status, to_json(body), Outcome.READ)
