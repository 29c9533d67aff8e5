"""Keys that a rotation made and nobody here knows any more: PagerDuty has them, under names that say what they took the place of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from config.keystore import KeyValue, StoredKey, purpose_of, value_id
from tasks.tokens.rotation.models import Rotation
from tasks.tokens.rotation.turner import Found, NotProvenError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from config.keystore import Kind
    from tasks.tokens.rotation.pagerduty import Marked, RoutingTurner
    from tasks.tokens.rotation.service import Tools
    from tasks.utils.encryption import SecurityManager


class TakenUp(NamedTuple):
    """A key that is in force from now on, and the one it was found in place of."""

    kind: str
    key: str
    former: str
    where: tuple[str, ...]


class Unmatched(NamedTuple):
    """A key PagerDuty refuses, and what rotations made there whose names do not say what for."""

    key: str
    where: tuple[str, ...]
    candidates: tuple[str, ...]


class TakingUp:
    """Looks for keys that were put in force after what is known here. Nothing is made or deleted at PagerDuty."""

    def __init__(self, tools: Tools, security: SecurityManager, turners: Mapping[Kind, RoutingTurner]) -> None:
        self._tools = tools
        self._security = security
        self._turners = turners

    def take_up(self) -> tuple[list[TakenUp], list[Unmatched]]:
        """Put in force what took the place of our keys; and what a person must decide on."""
        taken: list[TakenUp] = []
        unmatched: list[Unmatched] = []
        for kind, turner in self._turners.items():
            found = self._tools.found(kind)
            marked = turner.marked() if found else []
            for key in [self._stored(kind, one) for one in found.values()] if marked else ():
                named = [one for one in marked if one.base == key.base]
                made = _of_its_owner(key, named, turner)
                known = found[_current(key).id]
                try:
                    if made and value_id(made[-1].door.key) not in {one.id for one in key.values}:
                        taken.append(self._take(key, known, made, turner))
                        continue
                except NotProvenError:
                    made = []  # the others are taken up all the same
                if not made and not turner.takes(known):
                    unmatched.append(Unmatched(known.id, known.where, tuple(_words(marked, key.base))))
        return taken, unmatched

    def _stored(self, kind: Kind, found: Found) -> StoredKey:
        for key in self._tools.keystore.read():
            if key.kind == kind and any(one.id == found.id for one in key.values):
                return key
        value = KeyValue(id=found.id, state="current", sealed=self._sealed(kind, found.id, found.value))
        return StoredKey(kind=kind, base=found.id, values=(value,))

    def _take(self, key: StoredKey, known: Found, made: Sequence[Marked], turner: RoutingTurner) -> TakenUp:
        """The newest is in force; of the others those that PagerDuty takes stay, for what they have opened ends with them."""
        before, newest = _current(key), made[-1]
        values = {one.id: one for one in key.values}
        for one in made:
            name = value_id(one.door.key)
            values[name] = KeyValue(id=name, state="current", sealed=self._sealed(key.kind, name, one.door.key))
        turner.prove(
            Found(value_id(newest.door.key), newest.door.key, known.where, known.url), _rotation(key, newest, 0)
        )
        now = self._tools.now_ms()
        told = tuple(self._in_state(key.kind, one, newest, known, turner, now) for one in values.values())
        rotation = self._going_on(key, told, newest, turner, now)
        self._tools.keystore.put(key.model_copy(update={"values": told, "rotation": rotation.model_dump()}))
        new = value_id(newest.door.key)
        detail = {"kind": key.kind, "former": before.id, "new": new, "rotation": newest.rotation}
        self._tools.note("tokens.take_up", f"key/{before.id}", detail)
        return TakenUp(key.kind, new, before.id, known.where)

    def _in_state(
        self, kind: Kind, one: KeyValue, newest: Marked, known: Found, turner: RoutingTurner, now: int
    ) -> KeyValue:
        if one.id == value_id(newest.door.key):
            return one.model_copy(update={"state": "current", "since": now})
        if one.state == "gone":
            return one
        found = Found(one.id, self._opened(kind, one), known.where, known.url)
        return one.model_copy(update={"state": "former" if turner.takes(found) else "gone", "since": now})

    def _going_on(
        self, key: StoredKey, values: Sequence[KeyValue], newest: Marked, turner: RoutingTurner, now: int
    ) -> Rotation:
        """The rotation that made it, as far as it has come: with a former key there is one to be deleted some time."""
        rotation = _rotation(key, newest, now)
        for one in reversed([one for one in values if one.state == "former"]):
            door = turner.door_of(one.id)
            if door is not None:
                return rotation.model_copy(
                    update={"step": "wait_unused", "old": one.id, "former": door.id, "owner": door.owner}
                )
        return rotation

    def _sealed(self, kind: Kind, identity: str, value: str) -> str:
        return self._security.encrypt_sensitive_data(value, purpose_of(kind, identity))

    def _opened(self, kind: Kind, one: KeyValue) -> str:
        return str(self._security.decrypt_sensitive_data(one.sealed, purpose_of(kind, one.id)))


def _current(key: StoredKey) -> KeyValue:
    return next(one for one in key.values if one.state == "current")


def _of_its_owner(key: StoredKey, named: Sequence[Marked], turner: RoutingTurner) -> list[Marked]:
    """Those beside our key; none where it is gone and several have such: a name can be copied, and alerts must not go to a stranger."""
    owners = {one.door.owner for one in named}
    if owners:
        at_home = {door.owner for one in key.values if (door := turner.door_of(one.id))}
        kept = {str(key.rotation.get("owner") or "")} - {""}
        owners = at_home or kept or owners
    return [one for one in named if {one.door.owner} == owners]


def _rotation(key: StoredKey, made: Marked, now: int) -> Rotation:
    return Rotation(
        id=made.rotation,
        step="done",
        began=now,
        since=now,
        old=_current(key).id,
        base=key.base,
        new=value_id(made.door.key),
        owner=made.door.owner,
        made=made.door.id,
    )


def _words(marked: Sequence[Marked], base: str) -> Iterator[str]:
    yield from (f"integration {one.door.id} of {one.door.owner}" for one in marked if one.base in ("", base))
