"""Our alerts as they should be open at PagerDuty."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.kept_labels import as_trigger, recall

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from tasks.utils.keys import Keys

PAGE: Final = 500
IS_OPEN: Final = ("open", "acknowledged")
MAY_BE_THERE: Final = ("sent", "unclear")
Name = tuple[str, str]  # key id, and the dedup key as PagerDuty has it


@dataclass(frozen=True)
class Ours:
    """One alert (or group) that is open here, at one place of PagerDuty's. `last`: when its newest trigger began to be sent (ms)."""

    uid: str
    key_id: str
    wire: str
    last: int
    channel: str
    place: str
    incident: str = ""

    @property
    def name(self) -> Name:
        """What it is found by there."""
        return self.key_id, self.wire


class OpenAlerts:
    """Reads; changes nothing."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def all(self) -> Iterator[Ours]:
        """Every alert that is not resolved, once for each key it was sent with and PagerDuty has not shown resolved."""
        offset = 0
        while uids := self._client.zrange(self._keys.alerts, offset, offset + PAGE - 1):
            offset += len(uids)
            yield from self._of(uids)

    def names_of(self, wires: Collection[str]) -> dict[str, list[tuple[str, str]]]:
        """For each dedup key as PagerDuty has it: key id and uid of the alerts that are open with it here."""
        asked = list(wires)
        if not asked:
            return {}
        lines = self._client.hmget(self._keys.wired, asked)
        pairs = {
            wire: [_pair(line) for line in (text or "").splitlines()] for wire, text in zip(asked, lines, strict=True)
        }
        uids = sorted({uid for found in pairs.values() for _, uid in found})
        pipe = self._client.pipeline(transaction=False)
        for uid in uids:
            pipe.hget(self._keys.alert(uid), "status")
        is_open = {uid for uid, status in zip(uids, pipe.execute() if uids else [], strict=True) if status in IS_OPEN}
        return {wire: [(key, uid) for key, uid in found if uid in is_open] for wire, found in pairs.items()}

    def there(self, alerts: Sequence[Ours]) -> list[Ours]:
        """Those that are still open here and that PagerDuty took, or may have taken."""
        pipe = self._client.pipeline(transaction=False)
        for one in alerts:
            pipe.hget(self._keys.alert(one.uid), "status")
            pipe.hget(self._keys.alert(one.place), f"on:{one.channel}|{one.key_id}")
        replies = pipe.execute() if alerts else []
        stand = zip(alerts, replies[::2], replies[1::2], strict=True)
        return [one for one, status, sent in stand if status in IS_OPEN and sent in MAY_BE_THERE]

    def last_word(self, one: Ours) -> dict[str, Any] | None:
        """What an alert said last, as far as its labels tell; None where none are kept, as of a group."""
        service, dedup_key = self._client.hmget(self._keys.alert(one.uid), "service", "dedup_key")
        return as_trigger(recall(self._client.hget(self._keys.labels, one.uid) or "", service or "", dedup_key or ""))

    def _of(self, uids: Iterable[str]) -> Iterator[Ours]:
        pipe = self._client.pipeline(transaction=False)
        asked = list(uids)
        for uid in asked:
            pipe.hmget(self._keys.alert(uid), "status", "wire", "dedup_key")
            pipe.hget(self._keys.answers, uid)
        replies = pipe.execute()
        for uid, (status, wire, dedup_key), incidents in zip(asked, replies[::2], replies[1::2], strict=True):
            if status not in IS_OPEN or not incidents:
                continue
            for key_id, record in json.loads(incidents).items():
                if record.get("status") != "resolved" and record.get("last"):
                    where = (record.get("channel", ""), record.get("place", uid))
                    yield Ours(uid, key_id, wire or dedup_key or "", int(record["last"]), *where, record.get("id", ""))


def _pair(line: str) -> tuple[str, str]:
    key_id, _, uid = line.partition(" ")
    return key_id, uid
