"""Microsoft Teams' workflows that begin with a webhook: one adaptive card a message. Source: Microsoft's documentation of both."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tasks.notifications.channels.cutting import cut_to_fit
from tasks.utils.formatters import compact_json
from tasks.utils.rows import Outcome

if TYPE_CHECKING:
    from tasks.notifications.channels.posting import Answer, Poster
    from tasks.notifications.channels.protocol import Message

MOST_BYTES: Final = 28 * 1024  # of a message; Teams counts two bytes a character
MOST_SUBJECT: Final = 1_000
CLOSED: Final = (401, 403, 404, 410)
SWITCHED_OFF: Final = "TriggerIsNotEnabled"  # a 400 that is about the workflow, not about the card
LATE_THROTTLING: Final = "HTTP error 429"  # what stands in a 200 where Teams refused what the webhook had taken


class TeamsHook:
    """Posts to the URL that is the message's key."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    def send(self, message: Message) -> Outcome:
        """Send once (a short retry included) and classify the answer."""
        return self._poster.post(
            message.key,
            compact_json(fitting_card(message)).encode(),
            partial(self._classify, minimal=message.minimal),
            guarded=not message.options.get("allow_private"),
            status_suffices=True,
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._poster.close()

    def _classify(self, answer: Answer, *, minimal: bool) -> Outcome:
        if 200 <= answer.status < 300:
            return self._poster.throttled(answer.headers) if LATE_THROTTLING in answer.text else Outcome("sent")
        if answer.status in CLOSED or (answer.status == 400 and SWITCHED_OFF in answer.text):
            return self._poster.stopped("key_rejected")
        if answer.status in (400, 413) and not minimal:
            return Outcome("minimal", "content_rejected")
        return self._poster.unexpected(answer)


def fitting_card(message: Message) -> dict[str, Any]:
    """The message as a card that Teams takes: its text, or in minimal form its subject as plain text."""
    words = message.words
    subject = _whole(words.subject)[:MOST_SUBJECT] or "Tocsin"
    if message.minimal:
        return card(subject, {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": subject}]})
    locale = message.options.get("locale", "en")
    text = cut_to_fit(_whole(words.text), MOST_BYTES, locale, lambda text: _size(card(subject, block(text))))
    return card(subject, block(text))


def block(text: str) -> dict[str, Any]:
    """A text in Markdown as a part of a card."""
    return {"type": "TextBlock", "text": text, "wrap": True}


def card(subject: str, content: dict[str, Any]) -> dict[str, Any]:
    """An adaptive card in the envelope that workflows take; the subject is what a toast shows."""
    whole = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": subject,
        "body": [content],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": whole}
    return {"type": "message", "summary": subject, "attachments": [attachment]}


def _size(content: dict[str, Any]) -> int:
    return len(compact_json(content).encode("utf-16-le"))


def _whole(text: str) -> str:
    """The text without half characters, which no JSON in UTF-8 can carry."""
    return text.encode("utf-8", "replace").decode()
