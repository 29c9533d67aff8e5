"""A message as a mail: what stands in its headers is one line each, whatever stood in the alert."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.formatters import cut_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.notifications.channels.protocol import Message

MOST_SUBJECT: Final = 250


def mail_of(message: Message, sender: str) -> bytes:
    """The mail, ready to be sent: plain text and the same as HTML; in minimal form the subject only."""
    words = message.words
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr(("Tocsin", sender))
    mail["To"] = ", ".join(message.options["to"])
    if message.options.get("cc"):
        mail["Cc"] = ", ".join(message.options["cc"])
    mail["Subject"] = cut_text(_line(words.subject), MOST_SUBJECT) or "Tocsin"
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{_digest(message.id)}@{domain}>"
    thread = _thread(message.alert)
    if thread:
        mail["In-Reply-To"] = mail["References"] = f"<{_digest(*thread)}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Tocsin-Id"] = message.wire_id
    text = words.subject if message.minimal else words.text
    mail.set_content(_tame(text), cte="quoted-printable")
    if words.html and not message.minimal:
        mail.add_alternative(_tame(words.html), subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def _thread(alert: Mapping[str, Any]) -> tuple[str, ...]:
    """What mails of one group, or of one alert, have in common."""
    key = alert.get("dedup_key")
    return ("thread", str(alert.get("service", "")), str(key)) if key else ()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _line(text: str) -> str:
    """The text in one line of characters that can be seen, none of it in the code of headers, which email would decode."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()).replace("=?", "= ?")


def _tame(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
