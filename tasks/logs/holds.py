"""Legal holds: what must not be deleted, whatever its age. They lie in Redis, and on the disk of every machine that cleans up."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tasks.logs.models import Hold
from tasks.utils.error_handler import PermanentError, UnknownError
from tasks.utils.files import locked
from tasks.utils.kept_file import KeptFile

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.logs.items import Item
    from tasks.logs.models import Scope
    from tasks.utils.clock import Clock
    from tasks.utils.keys import Keys


class Holds:
    """A hold that only one of the two places knows is put into the other; released ones are kept, so that they stay released."""

    def __init__(self, client: Any, keys: Keys, path: Path, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._path = path
        self._file = KeptFile(path)
        self._clock = clock

    def add(self, why: str, author: str, scope: Scope) -> Hold:
        """Hold what fits all that is said."""
        if not why.strip():
            raise PermanentError("a hold needs a reason: say why, for whoever finds it in a year")
        known = {"id": secrets.token_hex(4), "why": why.strip(), "author": author, "made_at": self._clock.now()}
        hold = Hold(**scope.model_dump(), **known)
        self._put(hold)
        return hold

    def release(self, hold_id: str, author: str) -> Hold:
        """End a hold; UnknownError where there is none by that id."""
        found = {hold.id: hold for hold in self.all()}.get(hold_id)
        if found is None:
            raise UnknownError(f"there is no hold {hold_id!r}; `tocsin logs hold list` shows all there are")
        if found.released_at is None:
            found = found.model_copy(update={"released_at": self._clock.now(), "released_by": author})
            self._put(found)
        return found

    def all(self) -> list[Hold]:
        """Every hold there is or was, as both places know them; afterwards both know all."""
        with locked(self._path):
            here = _read(self._file.read() or {})
            there = _read(self._client.hgetall(self._keys.log_holds))
            both = {name: _later(here.get(name), there.get(name)) for name in sorted(here.keys() | there.keys())}
            missing = {name: hold.model_dump_json() for name, hold in both.items() if there.get(name) != hold}
            if missing:
                self._client.hset(self._keys.log_holds, mapping=missing)
            if both != here and not self._file.write({name: hold.model_dump_json() for name, hold in both.items()}):
                raise PermanentError(f"holds cannot be kept in {self._path}; nothing is cleaned up without them")
        return sorted(both.values(), key=lambda hold: hold.made_at)

    def in_force(self) -> list[Hold]:
        """Those that hold now."""
        now = self._clock.now()
        return [
            hold for hold in self.all() if hold.released_at is None and (hold.ends_at is None or hold.ends_at > now)
        ]

    def _put(self, hold: Hold) -> None:
        self._client.hset(self._keys.log_holds, hold.id, hold.model_dump_json())
        self.all()


def holding(item: Item, holds: list[Hold]) -> Hold | None:
    """The first hold that keeps an item. Of which services it tells is not always known: then it may be any."""
    return next((hold for hold in holds if _fits(item, hold)), None)


def _fits(item: Item, hold: Hold) -> bool:
    return (
        hold.kind in (None, item.kind)
        and (hold.service is None or item.services is None or hold.service in item.services)
        and (hold.since is None or item.last >= hold.since)
        and (hold.until is None or item.first <= hold.until)
    )


def _read(texts: dict[str, str]) -> dict[str, Hold]:
    try:
        return {name: Hold.model_validate_json(text) for name, text in texts.items()}
    except ValidationError as error:
        raise PermanentError(f"a hold cannot be read, and nothing is cleaned up without it: {error.title}") from None


def _later(one: Hold | None, other: Hold | None) -> Hold:
    """The released one of the two; a release stands."""
    return next(hold for hold in sorted((h for h in (one, other) if h), key=lambda h: h.released_at is None))
