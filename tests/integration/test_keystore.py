"""What a process sees of keys that others rotate."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from config.keystore import KeyValue, StoredKey, purpose_of, value_id
from config.settings import load
from tasks.runtime import Runtime
from tasks.utils.encryption import SecurityManager
from tasks.utils.keystore import Keystore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.keystore import State
    from deploy.local.embedded import Server
    from tasks.utils.keys import Keys


def key(state: State, number: int = 0) -> StoredKey:
    return StoredKey(kind="ingest", base="a", number=number, values=(KeyValue(id="a", state=state, sealed="enc:a"),))


FORMER, NEW = (base64.urlsafe_b64encode(letter * 32).decode() for letter in (b"f", b"n"))


class Overtaken(Keystore):
    """One behind whose reading another process writes."""

    other: Keystore

    def read(self) -> Sequence[StoredKey]:  # type: ignore[override]
        found = super().read()
        if [one.number for one in found] == [1]:
            self.other.put(key("gone", 1))
        return found


def test_a_change_that_comes_while_keys_are_read_is_seen_the_next_time(client: Any, keys: Keys, tmp_path: Path) -> None:
    seeing = Overtaken(client, keys, tmp_path / "one")
    seeing.other = Keystore(client, keys, tmp_path / "other")
    seeing.other.put(key("former"))

    seen = [seeing.changed(), seeing.changed()]

    assert [[one.values[0].state for one in found or ()] for found in seen] == [["former"], ["gone"]]


def test_what_was_not_changed_is_read_no_more(client: Any, keys: Keys, tmp_path: Path) -> None:
    Keystore(client, keys, tmp_path / "other").put(key("former"))
    seeing = Keystore(client, keys, tmp_path / "one")

    assert [bool(seeing.changed()) for _ in range(4)][2:] == [False, False]


@pytest.mark.usefixtures("client")
def test_a_key_that_could_not_be_opened_is_taken_up_once_it_can_be(server: Server, tmp_path: Path) -> None:
    file, secrets = tmp_path / "key", {name: name * 40 for name in "ab"}
    file.write_text(FORMER)
    environ = {"REDIS_URL": server.url, "ENCRYPTION_KEY_FILE": str(file), "JWT_SECRET": secrets["a"]}
    runtime = Runtime(load(environ=environ, state_dir=tmp_path / "state"))
    ids = {name: value_id(secret) for name, secret in secrets.items()}
    sealed = {
        name: SecurityManager([NEW]).encrypt_sensitive_data(secret, purpose_of("jwt", ids[name]))
        for name, secret in secrets.items()
    }
    values = (
        KeyValue(id=ids["b"], state="current", sealed=sealed["b"]),
        KeyValue(id=ids["a"], state="former", sealed=""),
    )
    runtime.keystore.put(StoredKey(kind="jwt", base=ids["a"], values=values))
    assert not runtime.renew_at_once()

    file.write_text(NEW)
    runtime.renew_at_once()

    assert runtime.settings.security.jwt_secret.get_secret_value() == secrets["b"]
    runtime.client.close()


def test_a_rotated_key_has_nobody_run_commands_and_a_request_does(client: Any, keys: Keys, tmp_path: Path) -> None:
    other, seeing = (Keystore(client, keys, tmp_path / name) for name in ("other", "one"))

    def asked_by(act: Any) -> bool:
        before = seeing.asked
        act()
        seeing.changed()
        return seeing.asked != before

    assert not asked_by(lambda: other.put(key("former")))
    assert [asked_by(other.touch), asked_by(other.touch)] == [True, True]
