"""Replaces keys by new ones: in steps, each written down before the next, so that whoever comes after a crash goes on with it."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from config.keystore import KeyValue, StoredKey, purpose_of, value_id, without_gone
from tasks.tokens.rotation.models import STEPS, Rotation, RotationReport, RotationView
from tasks.tokens.rotation.progress import Patience, stuck
from tasks.tokens.rotation.turner import CannotRotateError, Found
from tasks.utils.act_context import about
from tasks.utils.error_handler import TocsinError, UnknownError
from tasks.utils.progress import report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from datetime import timedelta

    from config.keystore import Kind
    from tasks.tokens.rotation.models import Step
    from tasks.tokens.rotation.turner import Turner
    from tasks.utils.encryption import SecurityManager
    from tasks.utils.keystore import Keystore

FLIGHT: Final = "tokens.rotate"
NO_KEY: Final = "rotated keys are kept encrypted, and ENCRYPTION_KEY is not set; `tocsin config keygen` makes one"


@dataclass(frozen=True)
class Tools:
    """What rotation works with. `found` gives the keys of a kind as the settings have them now; `note` puts a step on record."""

    keystore: Keystore
    security: SecurityManager | None
    found: Callable[[Kind], Mapping[str, Found]]
    alone: Callable[[str], AbstractContextManager[Any]]
    now_ms: Callable[[], int]
    pause: Callable[[float], None]
    note: Callable[[str, str, Mapping[str, str]], None]


@dataclass(frozen=True)
class RotationRules:
    """`known_after`: how long until every process has looked; `keep`: how long a former key of a kind stays at least."""

    known_after: timedelta
    settle: timedelta
    keep: Mapping[str, timedelta]
    patience: Patience

    def kept_ms(self, kind: Kind) -> int:
        """How long a former key of that kind stays at least."""
        return _ms(max(self.settle, self.keep[kind]))


class Rotations:
    """Begins rotations and goes on with them. One at a time in the whole fleet: BusyError says who is at it."""

    def __init__(self, tools: Tools, turners: Mapping[Kind, Turner], rules: RotationRules) -> None:
        self._tools = tools
        self._turners = turners
        self._rules = rules

    def rotate(self, kind: Kind, key_id: str) -> RotationReport:
        """Replace a key: up to where the new one is in force, and further if nothing holds it up."""
        with self._tools.alone(FLIGHT):
            key = self._begun(kind, key_id)
            return RotationReport(rotations=[self._go_on(key)])

    def resume(self) -> RotationReport:
        """Go on with every rotation that is not over. One that fails holds no other up; its error is raised in the end."""
        done: list[RotationView] = []
        failed: list[TocsinError] = []
        with self._tools.alone(FLIGHT):
            for key in self.underway():
                try:
                    done.append(self._go_on(key))
                except TocsinError as error:
                    failed.append(error)
        if failed:
            raise failed[0]
        return RotationReport(rotations=done)

    def underway(self) -> list[StoredKey]:
        """The keys whose rotation is not over."""
        return [key for key in self._tools.keystore.read() if key.rotation and key.rotation["step"] != "done"]

    def view(self, key: StoredKey) -> RotationView:
        """How the rotation of a key stands."""
        rotation = Rotation.model_validate(key.rotation)
        current = next(one.id for one in key.values if one.state == "current")
        known = self._tools.found(key.kind)
        where = next((known[one.id].where for one in key.alive if one.id in known), ())
        now = self._tools.now_ms()
        free_at = rotation.since + self._rules.kept_ms(key.kind) + _ms(self._rules.settle)
        why, mend = stuck(key.kind, rotation, free_at, self._rules.patience, now)
        return RotationView(
            kind=key.kind,
            key=current,
            former=rotation.old,
            rotation=rotation.id,
            step=rotation.step,
            waits=rotation.waits,
            where=list(where),
            under_way_seconds=(now - rotation.began) / 1000,
            step_seconds=(now - rotation.since) / 1000,
            stuck=why,
            mend=mend,
        )

    def reveal(self, kind: Kind, key_id: str) -> str:
        """The value of a key that Tocsin made, for whoever must be told it."""
        key = next((one for one in self._tools.keystore.read() if one.kind == kind and _has(one, key_id)), None)
        if key is None:
            raise UnknownError(f"no {kind} key {key_id} was made by Tocsin; `tocsin tokens list` names them")
        return self._opened(key, key_id)

    def _begun(self, kind: Kind, key_id: str) -> StoredKey:
        """The key with a rotation under way, begun now unless it was before."""
        known = next((one for one in self._tools.keystore.read() if one.kind == kind and _has(one, key_id)), None)
        if known is not None and known.rotation and known.rotation["step"] != "done":
            return known
        found = self._tools.found(kind).get(key_id)
        if found is None:
            raise UnknownError(f"no {kind} key {key_id} is in use; `tocsin tokens list` names them")
        now = self._tools.now_ms()
        rotation = Rotation(
            id=secrets.token_hex(4), began=now, since=now, old=key_id, base=known.base if known else key_id
        )
        if known is None:
            value = KeyValue(id=key_id, state="current", sealed=self._sealed(kind, key_id, found.value))
            known = StoredKey(kind=kind, base=key_id, values=(value,))
        self._note("begin", known, rotation)
        return self._tools.keystore.put(known.model_copy(update={"rotation": rotation.model_dump()}))

    def _go_on(self, key: StoredKey) -> RotationView:
        """Take every step that can be taken now."""
        while True:
            rotation = Rotation.model_validate(key.rotation)
            report(STEPS.index(rotation.step), len(STEPS) - 1, "steps")
            if rotation.step == "done":
                return self.view(key)
            try:
                taken = getattr(self, f"_{rotation.step}")(key, rotation)
            except TocsinError as error:
                self._fail(key, rotation, error)
                raise
            key = self._tools.keystore.put(taken)
            if taken.rotation["step"] == rotation.step:
                return self.view(key)
            self._note(rotation.step, key, rotation)

    def _fail(self, key: StoredKey, rotation: Rotation, error: TocsinError) -> None:
        """Write down why it does not go on; forget a rotation that cannot even begin, for nothing was made for it."""
        is_void = rotation.step == "make" and isinstance(error, CannotRotateError)
        failed = key.model_copy(update={"rotation": {}}) if is_void else self._waiting(key, rotation, str(error), 0)
        with suppress(TocsinError):  # what went wrong first is what the caller must know
            self._tools.keystore.put(failed)

    def _make(self, key: StoredKey, rotation: Rotation) -> StoredKey:
        old = self._value(key, rotation.old)
        made = self._turners[key.kind].make(old, rotation)
        new = value_id(made.value)
        sealed = self._sealed(key.kind, new, made.value)
        value = KeyValue(id=new, state="coming", sealed=sealed, since=self._tools.now_ms())
        told = {"new": new, "made": made.made, "former": made.former, "owner": made.owner}
        return self._stepped(key.model_copy(update={"values": (*key.values, value)}), rotation, "wait_known", **told)

    def _wait_known(self, key: StoredKey, rotation: Rotation) -> StoredKey:
        """Every process looks for rotated keys once a second."""
        left = rotation.since + _ms(self._rules.known_after) - self._tools.now_ms()
        if left > 0:
            self._tools.pause(left / 1000)
        return self._stepped(key, rotation, "prove")

    def _prove(self, key: StoredKey, rotation: Rotation) -> StoredKey:
        self._turners[key.kind].prove(self._value(key, rotation.new), rotation)
        return self._stepped(key, rotation, "switch")

    def _switch(self, key: StoredKey, rotation: Rotation) -> StoredKey:
        states = {rotation.old: "former", rotation.new: "current"}
        return self._stepped(self._in_states(key, states), rotation, "wait_unused")

    def _wait_unused(self, key: StoredKey, rotation: Rotation) -> StoredKey:
        """Nothing may need the former key, and nothing have needed it for as long as an attempt may be under way."""
        now = self._tools.now_ms()
        kept = rotation.since + self._rules.kept_ms(key.kind) - now
        needed = f"kept until {_moment(now + kept)}" if kept > 0 else self._turners[key.kind].needed(rotation)
        if needed:
            return self._waiting(key, rotation, needed, unused=0)
        unused = rotation.unused or now
        left = unused + _ms(self._rules.settle) - now
        if left > 0:
            return self._waiting(key, rotation, f"unused by now; deleted from {_moment(now + left)} on", unused=unused)
        return self._stepped(key, rotation, "remove")

    def _remove(self, key: StoredKey, rotation: Rotation) -> StoredKey:
        self._turners[key.kind].remove(rotation)
        return self._stepped(without_gone(self._in_states(key, {rotation.old: "gone"})), rotation, "done")

    def _stepped(self, key: StoredKey, rotation: Rotation, step: Step, **told: str) -> StoredKey:
        changed = rotation.model_copy(update={"step": step, "since": self._tools.now_ms(), "waits": "", **told})
        return key.model_copy(update={"rotation": changed.model_dump()})

    def _waiting(self, key: StoredKey, rotation: Rotation, waits: str, unused: int) -> StoredKey:
        told = {"waits": waits, "unused": unused, "looked": self._tools.now_ms()}
        changed = rotation.model_copy(update=told)
        return key.model_copy(update={"rotation": changed.model_dump()})

    def _in_states(self, key: StoredKey, states: Mapping[str, str]) -> StoredKey:
        now = self._tools.now_ms()
        values = tuple(
            one.model_copy(update={"state": states[one.id], "since": now}) if one.id in states else one
            for one in key.values
        )
        return key.model_copy(update={"values": values})

    def _value(self, key: StoredKey, identity: str) -> Found:
        known = self._tools.found(key.kind)
        beside = next((known[one.id] for one in key.values if one.id in known), Found("", ""))
        return Found(identity, self._opened(key, identity), beside.where, beside.url)

    def _opened(self, key: StoredKey, identity: str) -> str:
        sealed = key.value(identity).sealed
        if not sealed:
            raise UnknownError(
                f"the {key.kind} key {identity} is gone: it was good for nothing more, and its value was forgotten"
            )
        return str(self._security.decrypt_sensitive_data(sealed, purpose_of(key.kind, identity)))

    def _sealed(self, kind: Kind, identity: str, value: str) -> str:
        return self._security.encrypt_sensitive_data(value, purpose_of(kind, identity))

    @property
    def _security(self) -> SecurityManager:
        if self._tools.security is None:
            raise CannotRotateError(NO_KEY)
        return self._tools.security

    def _note(self, what: str, key: StoredKey, rotation: Rotation) -> None:
        about(f"key/{rotation.old}", kind=key.kind)
        told = {"rotation": rotation.id, "kind": key.kind, "former": rotation.old, "new": rotation.new}
        self._tools.note(f"tokens.{what}", f"key/{rotation.old}", told)


def _has(key: StoredKey, identity: str) -> bool:
    return any(one.id == identity for one in key.values)


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
