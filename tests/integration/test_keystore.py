"""What a process sees of keys that others rotate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.keystore import KeyValue, StoredKey
from tasks.utils.keystore import Keystore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.keystore import State
    from tasks.utils.keys import Keys


def key(state: State, number: int = 0) -> StoredKey:
    return StoredKey(kind="ingest", base="a", number=number, values=(KeyValue(id="a", state=state, sealed="enc:a"),))


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
