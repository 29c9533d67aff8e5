"""The rotated keys of one installation: in Redis for all, and a copy in the state folder of every machine that uses them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import ValidationError

from config.file_stamp import stamp_of
from config.keystore import FILE, StoredKey, by_name, read_keystore
from tasks.utils.error_handler import TransientError
from tasks.utils.files import locked
from tasks.utils.kept_file import KeptFile
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tasks.utils.keys import Keys

log = structlog.get_logger("tocsin.keys")


class StaleError(TransientError):
    """Somebody else has written a newer word on the same key meanwhile."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the key {name} was changed by somebody else meanwhile; look with `tocsin tokens status`")


class Keystore:
    """Reads and writes the rotated keys. A word is on this machine's disk before Redis has it, and only then it is acted on."""

    def __init__(self, client: Any, keys: Keys, state_dir: Path) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._path = state_dir / FILE
        self._seen: str | None = None
        self.asked: str | None = None
        """When all were last asked to read their encryption keys anew, as `changed` has found it."""

    def changed(self) -> list[StoredKey] | None:
        """Everything, if it was changed since this was asked last; None if not. What Redis or the file lacks, it is given."""
        version, self.asked = self._client.mget(self._keys.keystore_version, self._keys.keys_asked)
        stamp = f"{version} {stamp_of(self._path)}"
        if stamp == self._seen:
            return None
        found = self.read()
        self._seen = stamp  # of before the reading: what is changed while it goes on is seen the next time
        return found

    def read(self) -> list[StoredKey]:
        """Everything, the newest word on each key; what Redis or the file lacks, it is given."""
        shared = by_name(map(_parsed, self._client.hvals(self._keys.keystore)))
        if not shared and not self._path.exists():
            return []
        try:
            whole = self._merged(shared)
        except OSError as error:  # this machine goes on with what Redis has
            log.warning("keystore_not_kept_here", error=type(error).__name__)
            whole = shared
        for name, one in whole.items():
            if _is_newer(one, shared.get(name)):
                self._share(one)
        return list(whole.values())

    def _merged(self, shared: Mapping[str, StoredKey]) -> Mapping[str, StoredKey]:
        """The newest word on each key, which the file has then."""
        with locked(self._path):
            kept = by_name(read_keystore(self._path))
            whole = {**kept, **{name: one for name, one in shared.items() if _is_newer(one, kept.get(name))}}
            if whole != kept:
                self._write(whole.values())  # where that fails, which the log says, Redis has them
        return whole

    def put(self, key: StoredKey) -> StoredKey:
        """Keep a newer word on a key, here and for all; StaleError where somebody else was first."""
        found = by_name(self.read()).get(key.name)
        if (found.number if found else 0) != key.number:
            raise StaleError(key.name)
        newer = key.model_copy(update={"number": key.number + 1})
        with locked(self._path):
            kept = {**by_name(read_keystore(self._path)), newer.name: newer}
            if not self._write(kept.values()):
                raise TransientError(f"{self._path} cannot be written; mend the state folder, nothing was changed")
        if not self._share(newer):
            raise StaleError(key.name)
        return newer

    def touch(self) -> None:
        """Have every process read its encryption keys anew, those that commands print among them."""
        self._scripts.run("keystore_touch")

    def _share(self, key: StoredKey) -> bool:
        return bool(self._scripts.run("keystore_put", key.name, key.model_dump_json(), key.number))

    def _write(self, stored: Iterable[StoredKey]) -> bool:
        return KeptFile(self._path).write([one.model_dump(mode="json") for one in stored])


def _is_newer(one: StoredKey, other: StoredKey | None) -> bool:
    return other is None or one.number > other.number


def _parsed(text: str) -> StoredKey:
    try:
        return StoredKey.model_validate(json.loads(text))
    except (ValueError, ValidationError) as error:
        raise TransientError(f"a rotated key in Redis cannot be read: {type(error).__name__}") from None
