"""One reading of an account: its objects as they come, what was read of each, and what could not be."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account.canonical import item_of, reference_to
from tasks.backups.account.hidden import NOT_SHOWN
from tasks.backups.account.kinds import BY_NAME
from tasks.backups.account.listings import TAGGED, UNKEPT, Listing
from tasks.backups.account.long_lists import everything
from tasks.backups.account.patience import TRIES, Patience
from tasks.backups.account.shelf import Shelf, fingerprint
from tasks.utils.error_handler import TransientError
from tasks.utils.rest.collection import OFFSET
from tasks.utils.rest.errors import ForbiddenError, MissingAbilityError, NotFoundError, RefusedError, TokenRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.backups.account.crew import Crew
    from tasks.backups.account.parts import Part, View

Object = tuple[str, str]
"""A listing's kind, and an id in it."""
UNKEPT_WHY: Final = "Tocsin does not back these up, and the account has some"


@dataclass(frozen=True, order=True)
class Gap:
    """What is not in a backup: `kind` could not be read, and `why`. `is_amiss`: the account may well have some, and they belong in it."""

    kind: str
    why: str
    is_amiss: bool = field(default=False, compare=False)


@dataclass
class Reading:
    """What was read. `prints` says of each object what its list showed, `made` what was made of it."""

    view: View
    patience: Patience
    shelf: Shelf = field(default_factory=Shelf)
    prints: dict[Object, bytes] = field(default_factory=dict)
    made: dict[Object, set[tuple[str, str]]] = field(default_factory=dict)
    wearers: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    """A tag's id -> its label, and who wears it: `users.PUSER01`."""
    gaps: set[Gap] = field(default_factory=set)
    missing: dict[Object, set[str]] = field(default_factory=dict)
    """Objects of which something was not found, although they were listed, and what."""
    licences: dict[str, str] = field(default_factory=dict)
    host: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def listed(self, listing: Listing) -> Iterator[Mapping[str, Any]]:
        """All objects of a list; none, and a gap, where PagerDuty shows it to nobody or not to us."""
        if listing.kind == "users":
            self._read_licences()
        try:
            yield from map(self._with_licence, self._patiently(listing))
        except TokenRefusedError:
            raise
        except RefusedError as error:
            self._note(listing.kind, _why(error), is_amiss=_is_amiss(error))

    def _patiently(self, listing: Listing) -> Iterator[Mapping[str, Any]]:
        """A list to its end; from its beginning where it broke off, without what has come already."""
        seen: set[str] = set()
        for tried in range(TRIES):
            try:
                for place, raw in enumerate(everything(listing, self.view.rest, self._note_too_many)):
                    name = str(raw.get("id", place))
                    if name not in seen:
                        seen.add(name)
                        yield raw
            except TransientError as error:
                if tried == TRIES - 1:
                    raise
                self.patience.rest(error, tried)
            else:
                return

    def take(self, listing: Listing, raw: Mapping[str, Any]) -> None:
        """Keep what the list shows of an object."""
        self.host = self.host or str(raw.get("html_url") or "").partition("://")[2].partition("/")[0]
        items = listing.items(raw)
        name = (listing.kind, str(raw["id"]))
        with self._lock:
            for old in self.made.get(name, ()):
                self.shelf.drop(old)
            self.prints[name] = self.print_of(listing, raw)
            self.made[name] = {(item.kind, item.id) for item in items}
            for item in items:
                self.shelf.put(item)

    def print_of(self, listing: Listing, raw: Mapping[str, Any]) -> bytes:
        """What tells whether a list shows an object as it did before."""
        return fingerprint(listing.items(raw), (raw.get("summary"), listing.stamps(raw)))

    def read_parts(self, listing: Listing, item_id: str, crew: Crew) -> None:
        """Have the rest of an object read."""
        for part in listing.parts:
            crew.do(self.read_part, listing, part, item_id)
        if listing.kind == "tags":
            crew.do(self._read_wearers, item_id)

    def read_part(self, listing: Listing, part: Part, item_id: str) -> None:
        """Keep what PagerDuty shows of an object only when asked for it by itself."""
        name = (listing.kind, item_id)
        try:
            items = self.patience(lambda: list(part.read(self.view, item_id)))
        except NotFoundError:
            with self._lock:
                self.missing.setdefault(name, set()).add(part.kinds[0])
            return
        except TokenRefusedError:
            raise
        except RefusedError as error:
            self._note(part.kinds[0], _why(error), is_amiss=_is_amiss(error))
            return
        with self._lock:
            self.made[name] |= {(item.kind, item.id) for item in items}
            for item in items:
                self.shelf.put(item)

    def _read_wearers(self, tag_id: str) -> None:
        tag = self.shelf.get("tags", tag_id)
        if tag is None:
            return
        try:
            found = self.patience(lambda: self._wearers_of(tag_id))
        except NotFoundError:
            return
        with self._lock:
            self.wearers[tag_id] = (str(tag.document["label"]), found)

    def _wearers_of(self, tag_id: str) -> list[str]:
        wearers = self.view.rest.tags.wearers
        return [f"{kind}.{raw['id']}" for kind in TAGGED for raw in wearers(tag_id, kind)]  # type: ignore[arg-type]

    def forget(self, name: Object) -> None:
        """Of an object that has gone, keep nothing."""
        with self._lock:
            self.prints.pop(name, None)
            self.missing.pop(name, None)
            self.wearers.pop(name[1], None)
            for item in self.made.pop(name, ()):
                self.shelf.drop(item)

    def abilities(self) -> list[str]:
        """What the account's plan has; nothing, and a gap, where the key may not see that."""
        try:
            return self.patience(self.view.rest.abilities.list)
        except TokenRefusedError:
            raise
        except RefusedError as error:
            self._note("abilities", _why(error))
            return []

    def look_for_the_unkept(self) -> None:
        """Say what the account has, or may have, that no backup holds; what the plan lacks (402) or is not there (404) it does not have."""
        for listing in UNKEPT:
            try:
                found = self.patience(partial(self._has_any, listing))
            except TokenRefusedError:
                raise
            except ForbiddenError as error:
                self._note(listing.kind, f"whether the account has any cannot be seen: {_why(error)}")
                continue
            except RefusedError:
                continue
            if found:
                self._note(listing.kind, UNKEPT_WHY)

    def _has_any(self, listing: Listing) -> bool:
        asked = {"limit": 1} if listing.paging == OFFSET else {}
        return bool(listing.collection(self.view.rest).reading(asked)({}).get(listing.many or listing.kind))

    def finish(self, abilities: list[str]) -> None:
        """Add what is known only once all is read: who wears which tags, and what the picture as a whole is of."""
        bearers: dict[str, list[str]] = {}
        for label, worn_by in self.wearers.values():
            for bearer in worn_by:
                bearers.setdefault(bearer, []).append(label)
        for bearer, labels in bearers.items():
            kind, _, item_id = bearer.partition(".")
            named = reference_to(TAGGED[kind], item_id)
            self.shelf.put(item_of("tag_assignments", {"bearer": named, "labels": labels}, bearer))
        for kinds in self.missing.values():
            for kind in kinds:
                self._note(kind, NOT_SHOWN)
        gaps = [{"kind": gap.kind, "why": gap.why} for gap in sorted(self.gaps)]
        told = {"host": self.host, "abilities": sorted(abilities), "not_backed_up": gaps}
        self.shelf.put(item_of("account", told, "account"))

    def _note(self, kind: str, why: str, *, is_amiss: bool = False) -> None:
        with self._lock:
            self.gaps.add(Gap(kind, why, is_amiss and kind in BY_NAME))

    def _note_too_many(self, kind: str, why: str) -> None:
        self._note(kind, why, is_amiss=True)

    def _read_licences(self) -> None:
        asked = Listing("license_allocations", "/license_allocations")
        try:
            found = self._patiently(asked)
            self.licences = {raw["user"]["id"]: raw["license"]["id"] for raw in found}
        except TokenRefusedError:
            raise
        except RefusedError as error:
            self._note("license_allocations", _why(error))

    def _with_licence(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        licence = self.licences.get(str(raw.get("id")))
        return {**raw, "license": reference_to("license", licence)} if licence and "email" in raw else raw


def _is_amiss(error: RefusedError) -> bool:
    """Whether that is the key's fault; what the plan lacks (402) or PagerDuty does not know (404), the account does not have."""
    return not isinstance(error, MissingAbilityError | NotFoundError)


def _why(error: RefusedError) -> str:
    if isinstance(error, NotFoundError):
        return "PagerDuty has no such list for this account (404)"
    needed = f"; the token needs the scope {error.said.required_scopes}" if error.said.required_scopes else ""
    return f"PagerDuty refused it ({error.status}): {error.said.reason}{needed}"
