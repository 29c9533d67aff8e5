"""Whether PagerDuty has shown an incident of an alert it took, as people look at alerts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.utils.keys import Keys

Receipt = Literal["", "seen", "waiting", "unverified", "missed"]


class ReceiptView(NamedTuple):
    """`after` is how long it took until PagerDuty had the incident, in seconds."""

    receipt: Receipt = ""
    after: float | None = None


def receipts_of(client: Any, keys: Keys, incidents: Mapping[str, str]) -> dict[str, ReceiptView]:
    """That of each alert, by its uid; `incidents` is what is known of its incidents, as lua/lib/answer.lua keeps it."""
    newest = {uid: _newest(text) for uid, text in incidents.items()}
    views = {uid: _view(record) for uid, (_, record) in newest.items()}
    open_ones = {f"{newest[uid][0]} {uid}": uid for uid, view in views.items() if view.receipt == "unverified"}
    waiting = _waiting(client, keys, list(open_ones))
    return views | {open_ones[field]: ReceiptView("waiting") for field in waiting}


def _waiting(client: Any, keys: Keys, fields: Sequence[str]) -> list[str]:
    """Those of the fields PagerDuty is still looked at for."""
    if not fields:
        return []
    pipe = client.pipeline(transaction=False)
    for field in fields:
        pipe.hexists(keys.receipts, field)
    return [field for field, is_there in zip(fields, pipe.execute(), strict=True) if is_there]


def _newest(text: str) -> tuple[str, Mapping[str, Any]]:
    """Key id and record of what was sent last."""
    return max(json.loads(text).items(), key=lambda pair: pair[1].get("last") or 0, default=("", {}))


def _view(record: Mapping[str, Any]) -> ReceiptView:
    if record.get("id"):
        after = None if record.get("rebuilt") else max(0, record["seen"] - record["begun"]) / 1000
        return ReceiptView("seen", after)
    return ReceiptView(record.get("receipt", "unverified") if record else "")
