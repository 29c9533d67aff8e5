"""Mails by a real server: what is sent, and what each answer means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tasks.utils.bundles import Notice
from tests.integration.channels.letters import BOSS, NOTICE, OPS, letter, mailer, sent_by, server
from tests.integration.channels.mail_kit import PASSWORD, SENDER, USER

if TYPE_CHECKING:
    from tests.tls import Authority


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
