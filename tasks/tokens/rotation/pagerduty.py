"""Routing keys, of whatever they are integrations of: a second integration beside the first, proven and then used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from config.keystore import value_id
from tasks.tokens.rotation.models import mark_of
from tasks.tokens.rotation.turner import CannotRotateError, Made, NotProvenError
from tasks.utils.error_handler import TransientError
from tasks.utils.rest.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.tokens.rotation.doors import Door, Doors
    from tasks.tokens.rotation.models import Rotation
    from tasks.tokens.rotation.turner import Found

TRIES: Final = 6
PAUSE: Final = 2.0  # seconds: PagerDuty may take a moment until it knows a new key everywhere
REFUSED: Final = (400, 403)
_MARK: Final = re.compile(r" *\[tocsin ([0-9a-f]{8})(?: ([0-9a-f]{12}))?\]$")


class Marked(NamedTuple):
    """What a rotation made: `base` is the id of the configured value, '' where it was made before marks told it."""

    base: str
    rotation: str
    door: Door


@dataclass(frozen=True)
class Outside:
    """What the turners of routing keys reach PagerDuty by. `send`: the status that the end of an alert that never was is answered with."""

    send: Callable[[Found], int]
    open_with: Callable[[str], int]  # alerts that a key has opened and that are not ended there yet
    pause: Callable[[float], None]


class RoutingTurner:
    """A key by which events come in. `doors`: where those of its kind are at PagerDuty."""

    def __init__(self, outside: Outside, doors: Doors) -> None:
        self._outside = outside
        self._doors = doors

    def make(self, old: Found, rotation: Rotation) -> Made:
        """A new integration beside the old one; the one of this rotation, if it is there already."""
        former = self.door_of(old.id)
        if former is None:
            what = f"no integration of this account has the key {old.id} ({', '.join(old.where)})"
            raise CannotRotateError(f"{what}; it may belong to another account, or be out of reach of this REST key")
        mark = mark_of(rotation)
        made = next((one for one in self._doors.beside(former) if mark in one.name), None)
        made = made or self._doors.create(former, f"{_MARK.sub('', former.name)} {mark}".strip())
        if not made.key:
            raise TransientError(f"PagerDuty made the integration {made.id} and does not tell its key; try again")
        return Made(made.key, made.id, former.id, former.owner)

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

    def marked(self) -> list[Marked]:
        """What rotations made and PagerDuty still has, the oldest first."""
        found = [(door, _MARK.search(door.name)) for door in self._doors.all("") if door.key]
        return sorted(
            (Marked(mark[2] or "", mark[1], door) for door, mark in found if mark), key=lambda one: one.door.made
        )

    def door_of(self, key_id: str) -> Door | None:
        """What a key belongs to; None where PagerDuty has it no more, or does not show it."""
        return next((one for one in self._doors.all(key_id) if value_id(one.key) == key_id), None)

    def takes(self, key: Found) -> bool:
        """Whether PagerDuty takes events with it; true also where it does not say no."""
        return self._outside.send(key) not in REFUSED

    def remove(self, rotation: Rotation) -> None:
        """Delete the former integration."""
        try:
            self._doors.delete(rotation.owner, rotation.former)
        except NotFoundError:
            return  # before a crash, or by somebody else
