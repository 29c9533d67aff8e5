"""Signed JSON to a program of the user's; how it checks the signature stands in docs/channels.md."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Final

from tasks.utils.rows import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.notifications.channels.posting import Answer, Poster
    from tasks.notifications.channels.protocol import Message

CLOSED: Final = (401, 403, 410)  # it does not take our signature, or wants no more


class SignedWebhook:
    """Posts to the message's URL, signed with its key. `now` is the time in seconds since the epoch."""

    def __init__(self, poster: Poster, now: Callable[[], float] = time.time) -> None:
        self._poster = poster
        self._now = now

    def send(self, message: Message) -> Outcome:
        """Send once (a short retry included) and classify the answer."""
        body = json.dumps(message.words.document, separators=(",", ":")).encode()
        return self._poster.post(
            message.url,
            body,
            self._classify,
            headers=signed_headers(message.key, message.wire_id, int(self._now()), body),
            guarded=not message.options.get("allow_private"),
            status_suffices=True,
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._poster.close()

    def _classify(self, answer: Answer) -> Outcome:
        if 200 <= answer.status < 300:
            return Outcome("sent")
        if answer.status in CLOSED:
            return self._poster.stopped("key_rejected")
        return self._poster.unexpected(answer)


def signed_headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Id, time and the HMAC-SHA256 over `id.time.body`, as hexadecimal digits."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {
        "X-Tocsin-Id": message_id,
        "X-Tocsin-Timestamp": str(timestamp),
        "X-Tocsin-Signature": f"v1={signature}",
    }
