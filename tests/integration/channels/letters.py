"""A mail for the tests, the server that takes it, and the channel that sends it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.notifications.channels.email import Mailer, MailServer
from tasks.notifications.channels.protocol import Message
from tasks.utils.bundles import Notice
from tests.integration.channels.mail_kit import SENDER, Postbox, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.rows import Outcome
    from tests.tls import Authority

OPS, BOSS = "ops@a.example", "boss@b.example"
NOTICE = Notice(subject="disk full (web1)", text="The disk of wéb1 is full.", html="<p>The disk of wéb1 is full.</p>")


def letter(notice: Notice = NOTICE, **fields: Any) -> Message:
    options = {"to": (OPS,), "cc": (BOSS,), "locale": "en"}
    alert = {"service": "shop", "dedup_key": "disk"}
    return Message(**{"alert": alert, "notice": notice, "id": "0abc", "options": options, **fields}, url="", key=OPS)


@contextmanager
def server(
    authority: Authority | None = None, host: str = "127.0.0.1", **kind: Any
) -> Iterator[tuple[Postbox, MailServer]]:
    """A running mail server, with TLS where there is an authority, and how it is reached."""
    postbox = Postbox()
    controller = Server(postbox, authority.issue(host) if authority else None, **kind)
    controller.start()
    try:
        ca_file = authority.file if authority else None
        yield postbox, MailServer("127.0.0.1", controller.port, SENDER, starttls=authority is not None, ca_file=ca_file)
    finally:
        controller.stop()


@contextmanager
def mailer(server: MailServer, *, seconds: float = 5) -> Iterator[Mailer]:
    made = Mailer(server, deadline=timedelta(seconds=seconds), key_pause=timedelta(minutes=10))
    try:
        yield made
    finally:
        made.close()


def sent_by(server: MailServer, message: Message | None = None, *, seconds: float = 5) -> Outcome:
    """What became of one mail."""
    with mailer(server, seconds=seconds) as channel:
        return channel.send(message or letter())
