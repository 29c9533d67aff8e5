"""Mails by a real server: logins and encryption, and that neither is done without where it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.integration.channels.letters import sent_by, server
from tests.integration.channels.mail_kit import PASSWORD, USER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tls import Authority


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
