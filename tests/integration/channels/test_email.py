"""Mails by a real server: what is sent, what each answer means, and that nothing hangs or leaks."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.notifications.channels.email import Mailer, MailServer
from tasks.notifications.channels.protocol import Message
from tasks.utils.bundles import Notice
from tests.integration.channels.mail_kit import PASSWORD, SENDER, USER, Postbox, Server
from tests.integration.channels.wire_kit import drip, hold, listening, reset
from tests.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tasks.utils.rows import Outcome
    from tests.integration.channels.wire_kit import Behaviour

OPS, BOSS = "ops@a.example", "boss@b.example"
NOTICE = Notice(subject="disk full (web1)", text="The disk of wéb1 is full.", html="<p>The disk of wéb1 is full.</p>")


def letter(notice: Notice = NOTICE, **fields: Any) -> Message:
    options = {"to": (OPS,), "cc": (BOSS,), "locale": "en"}
    alert = {"service": "shop", "dedup_key": "disk"}
    return Message(**{"alert": alert, "notice": notice, "id": "0abc", "options": options, **fields}, url="", key=OPS)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


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


def test_a_mail_goes_encrypted_and_logged_in_to_all_as_text_and_html(authority: Authority) -> None:
    with server(authority, asks_for_login=True) as (postbox, address):
        outcome = sent_by(replace(address, username=USER, password=PASSWORD))

    (mail,), (envelope,) = postbox.mails, postbox.taken
    assert (outcome.verb, outcome.reason) == ("sent", "")
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, [OPS, BOSS])
    assert (mail["From"], mail["To"], mail["Cc"]) == (f"Tocsin <{SENDER}>", OPS, BOSS)
    assert mail["Subject"] == NOTICE.subject
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Tocsin-Id"] == "0abc"
    assert mail.get_body(("plain",)).get_content().strip() == NOTICE.text
    assert mail.get_body(("html",)).get_content().strip() == NOTICE.html


def test_every_try_has_the_same_message_id_and_a_group_is_one_thread() -> None:
    with server() as (postbox, address), mailer(address) as channel:
        channel.send(letter())
        channel.send(letter())
        channel.send(letter(id="0abd"))
        channel.send(letter(id="0abe", alert={"service": "shop", "dedup_key": "other"}))

    first, again, next_one, other = postbox.mails
    assert first["Message-ID"] == again["Message-ID"] != next_one["Message-ID"]
    assert first["References"] == first["In-Reply-To"] == next_one["References"] != other["References"]


def test_minimal_form_is_the_subject_alone() -> None:
    with server() as (postbox, address):
        sent_by(address, letter(minimal=True))

    (mail,) = postbox.mails
    assert not mail.is_multipart()
    assert mail.get_content().strip() == NOTICE.subject


HOSTILE = [
    "a\r\nBcc: evil@e.example",
    "a\nX-Evil: 1",
    "a\rb\x0bc\x0cd\x1ce\x85f\u2028g\u2029h",
    "\r\n\r\nbody",
    "=?utf-8?q?a=0D=0ABcc:_evil@e.example?=",
    "é" * 5_000,
    "\ud800\x00\x07\u202e",
    "a" * 3_000,
    "",
    ".\r\nMAIL FROM:<evil@e.example>",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_stands_in_an_alert_never_becomes_a_header_nor_a_command(text: str) -> None:
    notice = Notice(subject=text, text=f"{text}\r\n.\r\nMAIL FROM:<evil@e.example>\r\n{text}", html=text)
    alert = {"service": text, "dedup_key": text}
    with server() as (postbox, address):
        outcome = sent_by(address, letter(notice, alert=alert, id=f"{text}:0"))

    (mail,), (envelope,) = postbox.mails, postbox.taken
    allowed = {"From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"}
    allowed |= {"X-Auto-Response-Suppress", "X-Tocsin-Id", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}
    allowed |= {"X-Peer", "X-MailFrom", "X-RcptTo"}
    assert outcome.verb == "sent"
    assert set(mail.keys()) <= allowed
    assert not mail.defects
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, [OPS, BOSS])
    assert "evil@e.example" not in str(mail["Bcc"])
    assert "\n" not in mail["Subject"]
    assert "MAIL FROM:<evil@e.example>" in mail.get_body(("plain",)).get_content()


def test_mails_in_a_row_share_a_connection() -> None:
    with server() as (postbox, address), mailer(address) as channel:
        outcomes = [channel.send(letter(id=str(number))).verb for number in range(5)]

    assert outcomes == ["sent"] * 5
    assert postbox.greetings == 1


def test_several_threads_may_send_at_once() -> None:
    with server() as (postbox, address), mailer(address) as channel, ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda number: channel.send(letter(id=str(number))).verb, range(40)))

    assert outcomes == ["sent"] * 40
    assert len({mail["X-Tocsin-Id"] for mail in postbox.mails}) == 40


def test_a_kept_connection_that_the_server_closed_is_replaced(authority: Authority) -> None:
    with server(authority) as (postbox, address), mailer(address) as channel:
        channel.send(letter())
        _, line = channel._idle[-1]
        line._handle.shutdown(2)

        outcome = channel.send(letter(id="2"))

    assert (outcome.verb, outcome.reason) == ("sent", "")
    assert len(postbox.taken) == 2


@pytest.mark.parametrize(
    ("answers", "verb", "reason"),
    [
        ({"MAIL": "451 later"}, "retry", "smtp:451"),
        ({"MAIL": "421 closing"}, "retry", "smtp:421"),
        ({"MAIL": "550 not you"}, "refused", "sender_rejected"),
        ({"RCPT": "450 greylisted"}, "retry", "smtp:450"),
        ({"RCPT": "421 closing"}, "retry", "smtp:421"),
        ({"RCPT": "452 mailbox full"}, "retry", "smtp:452"),
        ({"RCPT": "550 no such user"}, "refused", "recipients_rejected"),
        ({f"RCPT {OPS}": "550 no", f"RCPT {BOSS}": "450 later"}, "retry", "smtp:450"),
        ({f"RCPT {OPS}": "550 no such user"}, "sent", "some_recipients_rejected"),
        ({f"RCPT {OPS}": "450 later"}, "sent", "some_recipients_rejected"),
        ({"DATA": "451 later"}, "retry", "smtp:451"),
        ({"DATA": "554 spam"}, "minimal", "content_rejected"),
        ({"DATA": "552 too large"}, "minimal", "content_rejected"),
    ],
)
def test_every_refusal_has_one_meaning(answers: dict[str, str], verb: str, reason: str) -> None:
    with server() as (postbox, address):
        postbox.answers |= answers
        outcome = sent_by(address)

    assert (outcome.verb, outcome.reason, outcome.unclear) == (verb, reason, False)


def test_content_refused_in_minimal_form_too_is_refused() -> None:
    with server() as (postbox, address):
        postbox.answers["DATA"] = "554 spam"
        outcome = sent_by(address, letter(minimal=True))

    assert (outcome.verb, outcome.reason) == ("refused", "smtp:554")


def test_a_sender_that_is_refused_stops_the_key() -> None:
    with server() as (postbox, address):
        postbox.answers["MAIL"] = "553 not yours"

        assert sent_by(address).delay_ms == 600_000


def test_a_password_that_is_refused_stops_the_key_and_shows_up_nowhere(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    with server(authority, asks_for_login=True) as (_, address):
        outcome = sent_by(replace(address, username=USER, password=f"{PASSWORD}-old"))

    assert (outcome.verb, outcome.reason, outcome.delay_ms) == ("refused", "login_rejected", 600_000)
    assert PASSWORD not in repr(outcome) + repr(replace(address, password=PASSWORD)) + caplog.text


@pytest.mark.parametrize(
    ("answer", "verb", "reason"),
    [("454 later", "retry", "smtp:454"), ("535 no", "refused", "login_rejected"), ("421 bye", "retry", "smtp:421")],
)
def test_a_login_that_may_work_later_is_tried_again(authority: Authority, answer: str, verb: str, reason: str) -> None:
    with server(authority, asks_for_login=True) as (postbox, address):
        postbox.answers["AUTH"] = answer
        outcome = sent_by(replace(address, username=USER, password=PASSWORD))

    assert (outcome.verb, outcome.reason) == (verb, reason)


def test_a_password_that_no_login_can_carry_stops_the_key(authority: Authority) -> None:
    with server(authority, asks_for_login=True) as (_, address):
        outcome = sent_by(replace(address, username=USER, password="pässword-pässword"))

    assert (outcome.verb, outcome.reason, outcome.delay_ms) == ("refused", "login_impossible", 600_000)


def test_a_server_that_knows_no_login_stops_the_key() -> None:
    with server() as (postbox, address):
        outcome = sent_by(replace(address, username=USER, password=PASSWORD))

    assert (outcome.verb, outcome.reason, outcome.delay_ms) == ("refused", "login_impossible", 600_000)
    assert not postbox.taken


def test_without_encryption_nothing_is_sent_where_it_is_required() -> None:
    with server() as (postbox, address):
        outcome = sent_by(replace(address, starttls=True, username=USER, password=PASSWORD))

    assert (outcome.verb, outcome.reason) == ("retry", "starttls_missing")
    assert (postbox.taken, postbox.logins) == ([], 0)


def test_a_certificate_of_another_host_is_not_trusted(authority: Authority) -> None:
    with server(authority, host="mail.example", asks_for_login=True) as (postbox, address):
        outcome = sent_by(replace(address, username=USER, password=PASSWORD))

    assert (outcome.verb, outcome.reason) == ("retry", "certificate_not_trusted")
    assert (postbox.taken, postbox.logins) == ([], 0)


def test_a_certificate_of_an_unknown_authority_is_not_trusted(authority: Authority) -> None:
    with server(authority) as (postbox, address):
        outcome = sent_by(replace(address, ca_file=None))

    assert (outcome.verb, outcome.reason) == ("retry", "certificate_not_trusted")
    assert not postbox.taken


def test_an_authority_that_cannot_be_read_is_no_reason_to_send_in_the_clear(
    authority: Authority, tmp_path: Path
) -> None:
    with server(authority) as (postbox, address):
        outcome = sent_by(replace(address, ca_file=tmp_path / "gone.pem"))

    assert (outcome.verb, outcome.reason) == ("retry", "network:FileNotFoundError")
    assert not postbox.taken


GREETING = b"220 mail.example ready\r\n"
AFTER_EHLO = b"250-mail.example\r\n250 STARTTLS\r\n"


def talk(*answers: bytes, then: Behaviour) -> Behaviour:
    """Greet, answer one command after the other, then behave as told."""

    def behave(connection: Any, over: Any) -> None:
        connection.sendall(GREETING)
        for answer in answers:
            connection.recv(65536)
            connection.sendall(answer)
        then(connection, over)

    return behave


TO_CONTENT = (b"250 mail.example\r\n", b"250 OK\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n")


@pytest.mark.alone
@pytest.mark.parametrize(
    ("behave", "starttls", "unclear"),
    [
        (hold, False, False),
        (drip(b"220 " + b"x" * 900), False, False),
        (talk(then=hold), False, False),
        (talk(b"250-" + b"x" * 100 + b"\r\n", then=drip(b"250-x\r\n" * 90)), False, False),
        (talk(AFTER_EHLO, b"220 go\r\n", then=hold), True, False),
        (talk(AFTER_EHLO, b"220 go\r\n", b"", then=drip(b"\x16\x03\x03\x10\x00" + b"\x02\x00\x0f\xfc" + b"x" * 900)), True, False),
        (talk(*TO_CONTENT, then=hold), False, True),
        (talk(*TO_CONTENT, then=drip(b"250-x\r\n" * 90)), False, True),
    ],
    ids=["silence", "dripping greeting", "then silence", "dripping EHLO", "silent TLS", "dripping TLS", "no end", "dripping end"],
)  # fmt: skip
def test_a_slow_server_is_given_up_at_the_deadline(behave: Behaviour, starttls: bool, unclear: bool) -> None:  # noqa: FBT001
    with listening(behave) as (host, port):
        started = time.monotonic()
        outcome = sent_by(MailServer(host, port, SENDER, starttls=starttls), seconds=1)
        took = time.monotonic() - started

    assert (outcome.verb, outcome.reason, outcome.unclear) == ("retry", "network:Timeout", unclear)
    assert took < 1.8


@pytest.mark.parametrize(
    ("behave", "reason", "unclear"),
    [
        (reset, "network:", False),
        (talk(then=reset), "network:", False),
        (talk(*TO_CONTENT, then=reset), "network:", True),
        (lambda connection, _: connection.sendall(b"554 go away\r\n"), "smtp:554", False),
        (lambda connection, _: connection.sendall(b"421 busy\r\n"), "smtp:421", False),
        (lambda connection, _: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "smtp:-1", False),
        (lambda connection, _: connection.sendall(b"220 " + b"x" * 100_000), "network:|smtp:", False),
    ],
)
def test_a_broken_connection_is_tried_again(
    behave: Callable[[Any, Any], None], reason: str, unclear: bool  # noqa: FBT001
) -> None:  # fmt: skip
    with listening(behave) as (host, port):
        outcome = sent_by(MailServer(host, port, SENDER, starttls=False))

    assert (outcome.verb, outcome.unclear) == ("retry", unclear)
    assert outcome.reason.startswith(tuple(reason.split("|")))


def test_nobody_listening_is_a_clear_failure() -> None:
    with listening(hold) as (host, port):
        pass

    outcome = sent_by(MailServer(host, port, SENDER))

    assert (outcome.verb, outcome.reason, outcome.unclear) == ("retry", "network:ConnectionRefusedError", False)
