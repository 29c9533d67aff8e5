"""Readers of fields: each takes what a caller sent, notes what is wrong with it, and gives back what is to be kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from deploy.sandbox.names import SUFFIX, resolve
from deploy.sandbox.request import RestError, instant
from deploy.sandbox.zones import known_zone

if TYPE_CHECKING:
    from collections.abc import Collection

    from deploy.sandbox.store import Entity, Store


@dataclass(slots=True)
class Reading:
    """One body being read: where references are looked up, and everything found wrong."""

    store: Store
    problems: list[str] = field(default_factory=list)

    def refuse(self, at: str, problem: str) -> None:
        """Note a problem in the API's words: "Name can't be blank"."""
        self.problems.append(f"{at[:1].upper()}{at[1:].replace('_', ' ')} {problem}")


Reader: TypeAlias = Callable[[Any, str, Reading], Any]


def anything(value: Any, at: str, reading: Reading) -> Any:  # noqa: ARG001 - a reader's signature
    """Whatever it is, kept as it is."""
    return value


def mapping(value: Any, at: str, reading: Reading) -> Any:
    """An object, whatever is in it."""
    if not isinstance(value, dict):
        reading.refuse(at, "must be an object")
    return value


def text(most: int | None = None, least: int = 0) -> Reader:
    """A string of so many characters."""

    def read(value: Any, at: str, reading: Reading) -> Any:
        if not isinstance(value, str):
            reading.refuse(at, "must be a string")
        elif least and not value.strip():
            reading.refuse(at, "can't be blank")
        elif len(value) < least:
            reading.refuse(at, f"is too short (minimum is {least} characters)")
        elif most is not None and len(value) > most:
            reading.refuse(at, f"is too long (maximum is {most} characters)")
        return value

    return read


def whole(least: int = 0, most: int | None = None) -> Reader:
    """A whole number within bounds."""

    def read(value: Any, at: str, reading: Reading) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            reading.refuse(at, "is not a number")
        elif value < least:
            reading.refuse(at, f"must be greater than or equal to {least}")
        elif most is not None and value > most:
            reading.refuse(at, f"must be less than or equal to {most}")
        return value

    return read


def flag(value: Any, at: str, reading: Reading) -> Any:
    """True or false."""
    if not isinstance(value, bool):
        reading.refuse(at, "must be true or false")
    return value


def one_of(*values: object) -> Reader:
    """One of these values."""

    def read(value: Any, at: str, reading: Reading) -> Any:
        if value not in values:
            reading.refuse(at, f"must be one of {', '.join(map(str, values))}")
        return value

    return read


def moment(value: Any, at: str, reading: Reading) -> Any:
    """An ISO 8601 date and time, kept as it was written."""
    try:
        instant(value, at)
    except RestError:
        reading.refuse(at, "must be an ISO 8601 date")
    return value


def zone(value: Any, at: str, reading: Reading) -> Any:
    """The name of a time zone, IANA's or Rails's."""
    if not isinstance(value, str) or not known_zone(value):
        reading.refuse(at, "is not a valid time zone")
    return value


def nullable(inner: Reader) -> Reader:
    """Null, or what the other reader takes."""
    return lambda value, at, reading: None if value is None else inner(value, at, reading)


def refers_to(*kinds: str, typed: bool = True) -> Reader:
    """A reference to an object that exists, of one of these types; only its id and type are kept.

    Where it need not be typed, one without a type is taken as of the first.
    """

    def read(value: Any, at: str, reading: Reading) -> Any:
        default = None if typed else kinds[0]
        kind = str(value.get("type", default)).removesuffix(SUFFIX) if isinstance(value, dict) else ""
        if kind not in kinds or not isinstance(value.get("id"), str):
            reading.refuse(at, f"must be a reference with an id and the type {kinds[0]}{SUFFIX}")
            return value
        kept = {"id": value["id"], "type": f"{kind}{SUFFIX}"}
        if resolve(reading.store, kept) is None:
            reading.refuse(at, f"{value['id']} was not found")
        return kept

    return read


def each(inner: Reader, least: int = 0, most: int | None = None) -> Reader:
    """A list of what the other reader takes."""

    def read(value: Any, at: str, reading: Reading) -> Any:
        if not isinstance(value, list):
            reading.refuse(at, "must be a list")
            return value
        if len(value) < least:
            reading.refuse(at, "can't be blank" if least == 1 else f"must have at least {least} entries")
        if most is not None and len(value) > most:
            reading.refuse(at, f"must have at most {most} entries")
        return [inner(one, at, reading) for one in value]

    return read


def fields(readers: Mapping[str, Reader], required: Collection[str] = ()) -> Reader:
    """An object with these fields; others are dropped, as the API drops them."""

    def read(value: Any, at: str, reading: Reading) -> Any:
        if not isinstance(value, dict):
            reading.refuse(at, "must be an object")
            return value
        return read_fields(value, readers, required, reading)

    return read


def read_fields(value: Entity, readers: Mapping[str, Reader], required: Collection[str], reading: Reading) -> Entity:
    """The fields of an object that have a reader; a required one must be there."""
    for name in required:
        if value.get(name) is None:
            reading.refuse(name, "can't be blank")
    return {
        name: read(value[name], name, reading)
        for name, read in readers.items()
        if name in value and not (name in required and value[name] is None)
    }
