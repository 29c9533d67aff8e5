"""Second factors as they are kept: encrypted, in Redis for every machine, and a copy in the state folder for when Redis loses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from tasks.security import totp
from tasks.security.models import Factor
from tasks.utils.error_handler import PermanentError
from tasks.utils.kept_file import KeptFile
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.encryption import SecurityManager
    from tasks.utils.keys import Keys

FILE: Final = "security/second-factors.json"
REMOVED: Final = ""

log = structlog.get_logger("tocsin.security")


class FactorStore:
    """Reads and writes them; a change holds only if nobody was quicker."""

    def __init__(self, client: Any, keys: Keys, manager: SecurityManager | None, state_dir: Path) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._manager = manager
        self._copy = KeptFile(state_dir / FILE)

    def sealed(self) -> dict[str, str]:
        """Every person's, encrypted. Where Redis knows of none at all, those that this machine knows are put back.

        Which codes were used is lost then: none of those that could have been is taken.
        """
        found: dict[str, str] = self._client.hgetall(self._keys.factors)
        kept = self._copy.read() or {}
        if not found and kept:
            log.warning("second_factors_lost", meaning="Redis had lost them; this machine's copy is put back")
            for person, text in kept.items():
                self._scripts.run("factor_restore", person, text, round(totp.STEP.total_seconds() * 1000), totp.SKEW)
            found = self._client.hgetall(self._keys.factors)
        if found != kept:
            self._copy.write(found)
        return {person: text for person, text in found.items() if text != REMOVED}

    def open(self, person: str, text: str) -> Factor:
        """What an encrypted one says; EncryptionError where the key for it is not known here."""
        return Factor(*self._security.decrypt_sensitive_data(text, _purpose(person)))

    def put(self, person: str, seen: str, factor: Factor | None, *, is_other: bool = False) -> None:
        """Keep one in place of what was `seen`, None to remove it; PermanentError if somebody was quicker.

        `is_other`: it has another secret, so that what is known of codes of the former one is forgotten.
        """
        text = REMOVED if factor is None else self._security.encrypt_sensitive_data(factor, _purpose(person))
        if not self._scripts.run("factor_put", person, seen, text, int(is_other or factor is None)):
            raise PermanentError(f"the second factor of {person} was changed by somebody else meanwhile; look again")
        self.sealed()

    def renew(self, person: str, seen: str) -> bool:
        """Encrypt one anew where its key is not the newest any longer; whether it was."""
        is_old = not self._security.is_current(seen)
        if is_old:
            self.put(person, seen, self.open(person, seen))
        return is_old

    @property
    def _security(self) -> SecurityManager:
        if self._manager is None:
            raise PermanentError(
                "a second factor is kept encrypted, and ENCRYPTION_KEY is not set; `tocsin config keygen` makes one"
            )
        return self._manager


def _purpose(person: str) -> str:
    return f"second factor of {person}"
