"""Slack's incoming webhooks: one text a message. Source: Slack's documentation of incoming webhooks."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final

from tasks.notifications.channels.cutting import cut_to_fit
from tasks.utils.rows import Outcome

if TYPE_CHECKING:
    from tasks.notifications.channels.posting import Answer, Poster
    from tasks.notifications.channels.protocol import Message

MOST_CHARACTERS: Final = 39_000  # Slack cuts at 40,000 without a word
CLOSED: Final = (403, 404, 410)  # invalid_token, action_prohibited; no_service, channel_not_found; channel_is_archived


class SlackHook:
    """Posts to the URL that is the message's key."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    def send(self, message: Message) -> Outcome:
        """Send once (a short retry included) and classify the answer."""
        return self._poster.post(
            message.key,
            json.dumps(payload(message)).encode(),
            partial(self._classify, minimal=message.minimal),
            guarded=not message.options.get("allow_private"),
            status_suffices=True,
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._poster.close()

    def _classify(self, answer: Answer, *, minimal: bool) -> Outcome:
        if 200 <= answer.status < 300:
            return Outcome("sent")
        if answer.status in CLOSED:
            return self._poster.stopped("key_rejected")
        if answer.status in (400, 413) and not minimal:
            return Outcome("minimal", "content_rejected")
        return self._poster.unexpected(answer)


def payload(message: Message) -> dict[str, object]:
    """What Slack gets; in minimal form the subject as plain text."""
    words = message.words
    if message.minimal:
        plain = words.subject.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": plain or "Tocsin", "mrkdwn": False}
    return {"text": cut_to_fit(words.text, MOST_CHARACTERS, message.options.get("locale", "en"))}
