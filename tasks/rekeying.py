"""What is at rest under encryption keys, and its encryption with the newest one: a part of the wiring beside `runtime`."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from config.keyring import Keyring
from config.keystore import purpose_of, without_gone
from config.sealing import key_id_of
from tasks.audit.anchors import anchor_key
from tasks.audit.resigning import SignedNotes
from tasks.logs.archives import LIST
from tasks.logs.holds import holding
from tasks.logs.items import Item
from tasks.logs.service import FLIGHT as CLEAN_UP
from tasks.tokens.rotation.models import AtRest
from tasks.utils.act_context import about
from tasks.utils.error_handler import PermanentError
from tasks.utils.progress import report
from tasks.utils.sealed_rows import SEALED, SealedRows
from tasks.utils.spool import SPOOL_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from config.keystore import KeyValue
    from tasks.logs.chain import Link
    from tasks.runtime import Runtime
    from tasks.utils.encryption import SecurityManager

AGAIN: Final = "`tocsin tokens rotate encryption`"
FADES: Final = "nothing: it goes to Redis as soon as that takes it, and is encrypted anew there; then {again}"
BY_HAND: Final = "`tocsin config encrypt` encrypts the value anew; put it in the place of the old one: {where}"
STAYS: Final = "{again}; {where}"
SIGNED: Final = "{again}; if it stays: `tocsin audit verify` and `tocsin logs verify` say what is not as it was signed"
SHOWN: Final = 20  # places that are named one by one


class _Found(NamedTuple):
    """Something that needs a key: where it stands, if a person must know."""

    key: str
    where: str = ""


class Rekeying:
    """Says which encryption key each thing needs, and encrypts anew what can be. It may be killed at any time, and called again.

    What lies in files is that of this machine.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._failed: dict[str, str] = {}  # id of an archive that could not be encrypted anew -> why

    def renew(self) -> list[AtRest]:
        """Encrypt with the newest key what can be; what is left, by key."""
        steps = (self._keystore, self._second_factors, self._backups, self._rows.renew, self._records)
        for number, step in enumerate(steps):
            report(number, len(steps), "places")
            about("key/encryption", newest=self._security.key_id)
            step()
        return self.at_rest()

    def at_rest(self) -> list[AtRest]:
        """Everything encrypted there is, by place and key."""
        places: list[tuple[str, Iterable[_Found], str]] = [
            ("rotated keys", self._plain(self._sealed_keys()), AGAIN),
            ("second factors", self._plain(map(key_id_of, self._factors().sealed().values())), AGAIN),
            ("the backups' own key", self._plain(self._backup_key()), AGAIN),
            ("fields of alerts", self._plain(self._rows.keys_needed()), AGAIN),
            ("alerts in the spool", self._plain(self._in_spool()), FADES),
            ("settings files", self._in_files(), BY_HAND),
            ("archives of records", self._in_archives(), STAYS),
            ("signatures of records", self._signatures(), SIGNED),
        ]
        return [one for place, found, mend in places for one in self._by_key(place, found, mend)]

    def _by_key(self, place: str, found: Iterable[_Found], mend: str) -> Iterator[AtRest]:
        newest, by_key = self._security.key_id, dict[str, list[str]]()
        for one in found:
            by_key.setdefault(one.key, []).append(one.where)
        for key, wheres in sorted(by_key.items()):
            shown = list(dict.fromkeys(filter(None, wheres)))[:SHOWN] if key != newest else []
            words = mend.format(where=", ".join(shown), again=AGAIN) if key != newest else ""
            yield AtRest(
                place=place,
                key=key,
                count=len(wheres),
                needs_former=key != newest,
                mend=words.rstrip("; "),
                where=shown,
            )

    @staticmethod
    def _plain(ids: Iterable[str]) -> Iterator[_Found]:
        return map(_Found, ids)

    @property
    def _security(self) -> SecurityManager:
        if self._runtime.security is None:
            raise PermanentError("ENCRYPTION_KEY is not set: nothing is encrypted; `tocsin config keygen` makes one")
        return self._runtime.security

    @property
    def _rows(self) -> SealedRows:
        return SealedRows(self._runtime.client, self._runtime.keys, self._runtime.sealed_fields)

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
            store.renew(person, text)

    def _backup_key(self) -> Iterator[str]:
        header = self._runtime.backups.repository.header
        if header is not None and header.is_encrypted:
            yield header.key_id

    def _backups(self) -> None:
        repository = self._runtime.backups.repository
        header = repository.header
        if header is not None and header.is_encrypted:
            repository.begin(encrypt=True)

    def _in_spool(self) -> Iterator[str]:
        folder = self._runtime.settings.state_dir / SPOOL_FOLDER
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file():
                yield from map(key_id_of, SEALED.findall(path.read_text("utf-8", "replace")))

    def _in_files(self) -> Iterator[_Found]:
        folder = self._runtime.settings.config_dir
        for path in sorted(folder.rglob("*.yaml")):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
                for text in SEALED.findall(line):
                    yield _Found(key_id_of(text), f"{path.relative_to(folder)}:{number}")

    def _in_archives(self) -> Iterator[_Found]:
        hold_of = self._hold_of()
        for key, link in self._runtime.logs.archives.keys_needed():
            why = hold_of(link) or self._failed.get(link.id, "")
            yield _Found(key, f"archive {link.id} stays: {why}" if why else "")

    def _hold_of(self) -> Callable[[Link], str]:
        """Why an archive must stay as it is: a legal hold is about the file, too."""
        in_force = self._runtime.logs.holds.in_force()

        def why(link: Link) -> str:
            item = Item(link.kind, link.name, link.stored.bytes, *link.span)
            hold = holding(item, in_force)
            return f"legal hold {hold.id} by {hold.author}" if hold else ""

        return why

    def _signatures(self) -> Iterator[_Found]:
        ids, why = Keyring.of_texts(self._texts).ids, self._failed.get(LIST, "")
        for place in (*self._runtime.logs.archives.signers(), *self._notes.signers()):
            yield _Found(ids[place] if place >= 0 else "unknown here", why)

    def _records(self) -> None:
        """Archives, and what is signed; while nobody cleans up."""
        archives = self._runtime.logs.archives
        with self._runtime.flights.alone(CLEAN_UP), archives.alone():
            self._failed = archives.renew(self._hold_of())
            self._notes.renew()

    @property
    def _notes(self) -> SignedNotes:
        keys = [anchor_key(urlsafe_b64decode(text)) for text in self._texts]
        return SignedNotes(self._runtime.settings.state_dir, keys)

    @property
    def _texts(self) -> list[str]:
        return self._runtime.settings.security.key_texts
