"""The encryption keys of one process: read anew when their sources change, and put in force once the whole fleet can read them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import structlog

from config.errors import ConfigError
from config.keyring import BY_KEY, Key, Keyring, SealError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from config.key_sources import KeySources

log = structlog.get_logger("tocsin.keys")


class _State(NamedTuple):
    """`configured` are the keys as they were read, the newest first; `texts` and `ring` those that are known; `used` encrypts."""

    configured: tuple[str, ...]
    texts: tuple[str, ...]
    ring: Keyring
    used: str
    is_settled: bool


class EncryptionKeys:
    """All of them decrypt from the moment they are read; a new one encrypts once every process of the fleet has read it.

    It takes the place of a `Keyring`, and whoever holds it has the keys of the moment.
    """

    def __init__(self, texts: Sequence[str], sources: KeySources | None = None) -> None:
        once = _once(texts)
        ring = Keyring.of_texts(once)
        self._sources = sources.for_another() if sources else None
        self._looking = threading.Lock()
        self._state = _State(once, once, ring, ring.ids[0], is_settled=len(once) == 1)
        self.trouble = ""
        """Why the sources could not be read when they were looked at last, in words; empty where they could."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The public names of all keys, as they are configured, the newest first."""
        return self._state.ring.ids

    @property
    def texts(self) -> list[str]:
        """The keys themselves: the one that encrypts, then the others."""
        state = self._state
        named = sorted(zip(state.ring.ids, state.texts, strict=True), key=lambda one: one[0] != state.used)
        return [text for _, text in named]

    @property
    def coming(self) -> tuple[str, ...]:
        """The ids of the keys that are newer than the one that encrypts: not every process knows them."""
        return self.ids[: self.ids.index(self._state.used)]

    @property
    def is_newest_used(self) -> bool:
        """Whether the newest key is the one that encrypts."""
        return self._state.used == self.ids[0]

    @property
    def in_force(self) -> str:
        """The id of the key that encrypts."""
        return self._state.used

    @property
    def is_forsaken(self) -> bool:
        """Whether the key that encrypts is configured no more, neither as the newest nor as a former one."""
        return self.texts[0] not in self._state.configured

    @property
    def is_settled(self) -> bool:
        """Whether the fleet was ever asked which keys it knows; not needed where there is one key only."""
        return self._state.is_settled

    def newest(self) -> Key:
        """The key to encrypt with: the newest that every process knows."""
        state = self._state
        return state.ring.called(state.used)

    def named(self, header: bytes) -> Key:
        """The key that a header was written with. Where it is not known, secret files are looked at again before SealError is raised."""
        try:
            return self._state.ring.named(header)
        except SealError:
            if not header.startswith(BY_KEY):
                raise
        self.look()  # or wait for who is looking just now
        return self._state.ring.named(header)

    def look(self, *, ask_anew: bool = False) -> bool:
        """Read the keys if their files were changed, or in any case; whether there are others now. What cannot be read changes nothing."""
        if self._sources is None:
            return False
        with self._looking:
            return self._looked(self._sources, ask_anew=ask_anew)

    def _looked(self, sources: KeySources, *, ask_anew: bool) -> bool:
        try:
            found = sources.changed(ask_anew=ask_anew)
        except ConfigError as error:
            self.trouble = "; ".join(f"{one.where}: {one.what}" for one in error.problems)
            log.error("encryption_keys_not_taken_up", detail=str(error), kept=list(self.ids))  # noqa: TRY400 - it is told, not raised
            return False
        if found is None:
            return False
        self.trouble = ""
        return self._take(found)

    def settle(self, fleet: Iterable[Sequence[str] | None]) -> bool:
        """Encrypt with the newest key that each process of the fleet knows (None: nobody knows which it does); whether that is another.

        A process without keys reads nothing, and is not asked. As long as there is no such key it stays as it is; also while the one
        in force is configured no more and all still know it: with the next one in force nobody could read what it has encrypted.
        Where others have let it go, the fleet has gone on without this process.
        """
        state = self._state
        if state.is_settled and self.is_newest_used:
            return False
        known = [set(one) if one is not None else set() for one in fleet if one is None or one]
        if self.is_forsaken and all(state.used in keys for keys in known):
            return False
        used = next((one for one in state.ring.ids if all(one in keys for keys in known)), state.used)
        self._state = _state(state.configured, state, used, is_settled=True)
        if used != state.used:
            log.info("encryption_key_in_force", key=used, before=state.used)
        return used != state.used

    def _take(self, texts: Sequence[str]) -> bool:
        """Know these keys. The one in force stays known while it is in force, also where it was taken out of the sources."""
        state = self._state
        configured = _once(texts)
        if configured == state.configured:
            return False
        self._state = _state(configured, state, state.used, is_settled=state.is_settled)
        log.info("encryption_keys_taken_up", keys=list(self.ids))
        return True


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _state(configured: tuple[str, ...], before: _State, used: str, *, is_settled: bool) -> _State:
    texts, ring = configured, Keyring.of_texts(configured)
    if used not in ring.ids:
        texts = (*texts, before.texts[before.ring.ids.index(used)])
        ring = Keyring.of_texts(texts)
    return _State(configured, texts, ring, used, is_settled)
