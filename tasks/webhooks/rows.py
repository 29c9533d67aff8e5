"""Rows of webhooks: what PagerDuty was told to have been taken, until it is worked off."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.utils.rows import WEBHOOK_SOURCE, Inbox, InboxRow, milliseconds
from tasks.utils.scripts import Scripts
from tasks.utils.webhook_ids import webhook_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from tasks.utils.keys import Keys


@dataclass(frozen=True)
class WebhookRow:
    """One webhook handed to this caller; `tries` counts how often it was handed out. `received` in ms."""

    id: str
    received: str
    document: Any
    tries: int


class WebhookRows:
    """Webhooks that came and are not worked off yet."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._scripts = Scripts(client, keys)
        self._inbox = Inbox(client, keys)

    def put(self, documents: Sequence[Any]) -> None:
        """Keep documents that came another way than through the gateway. One that came before is not kept again."""
        self._inbox.put([InboxRow(webhook_id("", document), document, WEBHOOK_SOURCE) for document in documents])

    def claim(self, most: int, lease: timedelta, *, answers_hint: bool = True) -> list[WebhookRow]:
        """Up to `most` that are due, the oldest first; this caller has them for `lease`.

        `answers_hint`: what comes from now on may call a worker again.
        """
        flat = self._scripts.run("webhooks_claim", most, milliseconds(lease), "1" if answers_hint else "")
        return [
            WebhookRow(row_id, received, json.loads(document), int(tries))
            for row_id, received, document, tries in zip(*[iter(flat)] * 4, strict=True)
        ]

    def done(self, rows: Sequence[WebhookRow]) -> None:
        """They are worked off."""
        if rows:
            self._scripts.run("webhooks_done", *(row.id for row in rows))
