"""What is at rest under encryption keys, and its encryption with the newest one: a part of the wiring beside `runtime`."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from config.keystore import purpose_of, without_gone
from config.sealing import key_id_of
from tasks.tokens.rotation.models import AtRest
from tasks.utils.act_context import about
from tasks.utils.encryption_stream import key_id_of_file
from tasks.utils.error_handler import PermanentError
from tasks.utils.progress import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from config.keystore import KeyValue
    from tasks.runtime import Runtime
    from tasks.utils.encryption import SecurityManager

SEALED: Final = re.compile(r"enc:[A-Za-z0-9_-]{60,}={0,2}")
FADES: Final = "nothing: it goes with the alerts it belongs to, two days after they close; then look again"
BY_HAND: Final = "`tocsin config encrypt` encrypts the value anew; put it in the place of the old one"
STAYS: Final = "keep the former key in security.previous_encryption_keys while this is kept, or let it be cleaned up"


class Rekeying:
    """Says which encryption key each thing needs, and encrypts anew what can be. It may be killed at any time, and called again."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def renew(self) -> list[AtRest]:
        """Encrypt with the newest key what can be; what is left, by key."""
        steps = (self._keystore, self._second_factors, self._backups)
        for number, step in enumerate(steps):
            report(number, len(steps), "places")
            about("key/encryption", newest=self._security.key_id)
            step()
        return self.at_rest()

    def at_rest(self) -> list[AtRest]:
        """Everything encrypted there is, by place and key."""
        places: list[tuple[str, Iterable[str], str]] = [
            ("rotated keys", self._sealed_keys(), ""),
            ("second factors", map(key_id_of, self._factors().sealed().values()), ""),
            ("the backups' own key", self._backup_key(), ""),
            ("fields of alerts", self._in_redis(), FADES),
            ("settings files", self._in_files(), BY_HAND),
            ("archives of records", self._in_archives(), STAYS),
        ]
        newest = self._security.key_id
        return [
            AtRest(place=place, key=key, count=count, needs_former=key != newest, mend=mend if key != newest else "")
            for place, ids, mend in places
            for key, count in sorted(Counter(ids).items())
        ]

    @property
    def _security(self) -> SecurityManager:
        if self._runtime.security is None:
            raise PermanentError("ENCRYPTION_KEY is not set: nothing is encrypted; `tocsin config keygen` makes one")
        return self._runtime.security

    def _sealed_keys(self) -> Iterator[str]:
        return (key_id_of(one.sealed) for key in self._runtime.keystore.read() for one in key.values if one.sealed)

    def _keystore(self) -> None:
        for stored in self._runtime.keystore.read():
            key = without_gone(stored)
            if key != stored or not all(self._security.is_current(one.sealed) for one in key.alive):
                values = tuple(self._resealed(key.kind, one) if one.sealed else one for one in key.values)
                self._runtime.keystore.put(key.model_copy(update={"values": values}))

    def _resealed(self, kind: str, value: KeyValue) -> KeyValue:
        purpose = purpose_of(kind, value.id)
        plain = self._security.decrypt_sensitive_data(value.sealed, purpose)
        return value.model_copy(update={"sealed": self._security.encrypt_sensitive_data(plain, purpose)})

    def _factors(self) -> Any:
        from tasks.security.store import FactorStore  # noqa: PLC0415

        runtime = self._runtime
        return FactorStore(runtime.client, runtime.keys, runtime.security, runtime.settings.state_dir)

    def _second_factors(self) -> None:
        store = self._factors()
        for person, text in store.sealed().items():
            store.renew(person, text, store.open(person, text))

    def _backup_key(self) -> Iterator[str]:
        header = self._runtime.backups.repository.header
        if header is not None and header.is_encrypted:
            yield header.key_id

    def _backups(self) -> None:
        repository = self._runtime.backups.repository
        header = repository.header
        if header is not None and header.is_encrypted:
            repository.begin(encrypt=True)

    def _in_redis(self) -> Iterator[str]:
        client, keys = self._runtime.client, self._runtime.keys
        for name in client.scan_iter(match=f"{keys.event('')}*", count=1000):
            for text in client.hvals(name):
                yield from map(key_id_of, SEALED.findall(text))
        for text in client.hvals(keys.inbox):
            yield from map(key_id_of, SEALED.findall(text))

    def _in_files(self) -> Iterator[str]:
        for path in sorted(self._runtime.settings.config_dir.rglob("*.yaml")):
            yield from map(key_id_of, SEALED.findall(path.read_text("utf-8")))

    def _in_archives(self) -> Iterator[str]:
        folder: Path = self._runtime.logs.folder
        for path in folder.rglob("*.enc") if folder.is_dir() else ():
            with path.open("rb") as file:
                yield key_id_of_file(file)
