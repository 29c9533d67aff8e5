from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from deploy.sandbox.lag import Delayed

if TYPE_CHECKING:
    from deploy.sandbox.access.credentials import Caller
    from deploy.sandbox.call import Call
    from deploy.sandbox.store import Entity, Store
    from deploy.sandbox.world import World

Found = TypeVar("Found")
Parameters: TypeAlias = Mapping[str, Sequence[str]]

INVALID_INPUT = "Invalid Input Provided"
MOST_NAMED = 20
# What is far outside is a slip, and calendars end.
YEARS = range(1900, 2200)


class RestError(Exception):
    """The REST API refuses: status, code, message and the reasons, as the caller gets to see them."""

    def __init__(self, status: int, code: int, message: str, *reasons: str) -> None:
        super().__init__(message)
        self.status = status
        self.reasons = reasons
        self.body: dict[str, dict[str, Any]] = {
            "error": {"message": message, "code": code, "errors": list(reasons[:MOST_NAMED])}
        }

    def in_v3(self) -> RestError:
        """The same refusal in the shape of v3, which names reasons by the part of the request they are about."""
        if self.reasons:
            self.body["error"]["errors"] = {"request": [*self.reasons]}
        return self


def invalid(*reasons: str) -> RestError:
    """400, code 2001: what the body or the query says cannot be."""
    return RestError(400, 2001, INVALID_INPUT, *reasons)


def not_found() -> RestError:
    """404, code 2100."""
    error = RestError(404, 2100, "Not Found")
    del error.body["error"]["errors"]
    return error


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer other than 200; without a body nothing is sent but the status line and headers."""

    status: int
    body: Any = None


@dataclass(slots=True)
class Request:
    """One REST call on its way to its handler: the parts of its path by name, its query and its body."""

    world: World
    call: Call
    path: Mapping[str, str]
    token: str = ""
    caller: Caller | None = None
    query: Parameters = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The account's objects; reads see them as they were a while ago where they are set to."""
        delay = self._delay()
        return Delayed(self.world.store, self.now - delay) if delay else self.world.store

    @property
    def now(self) -> float:
        """Epoch seconds of the sandbox's clock."""
        return self.world.clock.now()

    @property
    def base(self) -> str:
        """The address the caller used, for the links in answers."""
        return f"http://{self.call.header(b'host')}"

    def user(self) -> Entity | None:
        """The user whose token this is, or None where it is the account's."""
        name = self.caller.user if self.caller else None
        return None if name is None else self.world.store.get("users", name)

    def horizon(self) -> float:
        """The time up to which this call knows what was created."""
        return self.now - self._delay()

    def sees(self, created_at: float) -> bool:
        """Whether this call knows already of what was created then."""
        return created_at <= self.horizon()

    def sender(self) -> Entity | None:
        """The user in whose name it is asked: the token's own, or the one that the header From names."""
        name = self.call.header(b"from").lower()
        named = (one for one in self.store.all("users") if one["email"].lower() == name) if name else iter(())
        return self.user() or next(named, None)

    def need(self, ability: str) -> None:
        """Refuse with 402 where the account has not paid for this."""
        if not self.world.account.has_ability(ability):
            reason = f"The account does not have the ability {ability}"
            raise RestError(402, 2014, "Account does not have the abilities to perform the action", reason)

    def once(self, name: str, make: Callable[[], Found]) -> Found:
        """What `make` gives, made once for the whole call; a handler that changes the account clears `memory`."""
        if name not in self.memory:
            self.memory[name] = make()
        found: Found = self.memory[name]
        return found

    def grouped(self, kind: str, field: str) -> Mapping[str, Sequence[Entity]]:
        """A collection by the id of the reference in a field."""
        return self.once(f"{kind} by {field}", lambda: self._grouped(kind, field))

    def body(self) -> Entity:
        """The JSON object that was sent; anything else is refused."""
        try:
            parsed = json.loads(self.call.body)
        except (ValueError, RecursionError):
            raise invalid("The request body is not valid JSON") from None
        if not isinstance(parsed, dict):
            raise invalid("The request body must be a JSON object")
        return parsed

    def wrapped(self, name: str) -> Entity:
        """The object under this name in the body: `{"user": {…}}`."""
        inner = self.body().get(name)
        if not isinstance(inner, dict):
            raise invalid(f"The request body must be an object with the key '{name}'")
        return inner

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, (default,))[0]

    def every(self, name: str) -> Sequence[str]:
        """All values of an array parameter, named without its brackets: `team_ids` reads `team_ids[]`."""
        return self.query.get(f"{name}[]", ())

    def includes(self, name: str) -> bool:
        """Whether `include[]` asks for this."""
        return name in self.every("include")

    def number(self, name: str, default: int, *, least: int = 0) -> int:
        """A query parameter that is a whole number."""
        raw = self.first(name, str(default))
        if not (raw.isascii() and raw.isdecimal() and len(raw) < 10) or int(raw) < least:
            raise invalid(f"{name} must be a whole number, at least {least}")
        return int(raw)

    def instant(self, name: str, default: float) -> float:
        """A query parameter that is an ISO 8601 date, in epoch seconds; without a zone it is UTC."""
        raw = self.first(name)
        return instant(raw, name) if raw else default

    def _delay(self) -> float:
        return self.world.read_delay if self.call.method == "GET" else 0.0

    def _grouped(self, kind: str, field: str) -> dict[str, list[Entity]]:
        groups: dict[str, list[Entity]] = {}
        for one in self.store.all(kind):
            if field in one:
                groups.setdefault(one[field]["id"], []).append(one)
        return groups


Handler: TypeAlias = Callable[[Request], "Mapping[str, Any] | Reply"]
Routes: TypeAlias = Mapping[tuple[str, str], Handler]


def instant(raw: object, name: str) -> float:
    """The epoch seconds of an ISO 8601 date."""
    try:
        parsed = datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        parsed = None
    if parsed is None or parsed.year not in YEARS:
        raise invalid(f"{name} must be an ISO 8601 date")
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
