"""Open alerts in a backup: what is known of each, what PagerDuty said of it, and its timer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.items import Item
from tasks.backups.state.parts import OPEN, PAGE, Restorable
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tasks.utils.keys import Keys

SENT: Final = "on:"
HEARD: Final = "heard:"  # by the readers of a group
NOT_BEFORE: Final = (
    60_000  # ms: the comparison with PagerDuty ends what was answered meanwhile, before anybody is called for it
)
# What belongs to events that are not restored: what is held back, waits to be told, or was told last.
PASSING: Final = (
    "held",
    "held_by",
    "held_for",
    "unsaid",
    "count",
    "waits",
    "window",
    "came_and_went",
    "last_id",
    "opened_by",
)
PASSING_FAMILY: Final = "ending:"


class OpenAlerts(Restorable):
    """Those that somebody was told of and that are not resolved; groups and copies at other places, too."""

    kind = "alerts"

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)

    def read(self) -> Iterator[Item]:
        """A page at a time, each page as it is at one moment."""
        cursor = 0
        while True:
            cursor, page = self._client.zscan(self._keys.alerts, cursor, count=PAGE)
            yield from self.known([uid for uid, _ in page]).values()
            if cursor == 0:
                return

    def known(self, ids: Sequence[str]) -> dict[str, Item]:
        """By their uids; those that are over, or that nobody was told of, are left out."""
        keys = self._keys
        pipe = self._client.pipeline(transaction=True)
        for uid in ids:
            pipe.hgetall(keys.alert(uid))
            pipe.zscore(keys.alerts, uid)
            pipe.hget(keys.labels, uid)
            pipe.hget(keys.answers, uid)
            pipe.hgetall(keys.members(uid))
            pipe.hgetall(keys.escalation(uid))
            pipe.zscore(keys.escalations_due, uid)
        replies = pipe.execute() if ids else []
        rows = zip(ids, *(replies[part::7] for part in range(7)), strict=True)
        found = {row[0]: self._item(*row) for row in rows if _is_told(row[1])}
        self._add_policies(found)
        return found

    def _item(self, uid: str, alert: dict[str, str], *rest: Any) -> Item:
        score, labels, answers, members, escalation, due = rest
        is_passing = {name for name in alert if name in PASSING or name.startswith(PASSING_FAMILY)}
        document = {
            "alert": {name: value for name, value in alert.items() if name not in is_passing},
            "score": f"{score or 0:.0f}",
            "labels": labels or "",
            "answers": answers or "",
            "members": members,
            "escalation": escalation if due is not None else {},
            "due": "" if due is None else f"{due:.0f}",
            "policy": "",
        }
        return Item(self.kind, uid, document)

    def _add_policies(self, items: dict[str, Item]) -> None:
        digests = sorted(
            {item.document["escalation"]["policy"] for item in items.values() if item.document["escalation"]}
        )
        texts = self._client.hmget(self._keys.policies, digests) if digests else []
        policies = dict(zip(digests, texts, strict=True))
        for item in items.values():
            if item.document["escalation"]:
                item.document["policy"] = policies[item.document["escalation"]["policy"]] or ""

    def restore(self, item: Item, origin: str) -> bool:
        """Open again, its timer running: due when it was, yet not within the next minute."""
        known = item.document
        is_plain = "copy_of" not in known["alert"]
        asked = {
            **known,
            "uid": item.id,
            "alert": {**known["alert"], "last_sign": ""},
            "event": f"restored:{origin}:{item.id}" if is_plain else "",
            "detail": f"backup {origin}",
            "not_before": NOT_BEFORE,
        }
        return bool(self._scripts.run("restore_alert", json.dumps(asked)) == "created")


def _is_told(alert: dict[str, str]) -> bool:
    """Whether somebody was told of an alert that is still open: what nobody was told of must be sent anew, not merged into it."""
    return alert.get("status") in OPEN and any(
        (name.startswith(SENT) and value == "sent") or name.startswith(HEARD) for name, value in alert.items()
    )
