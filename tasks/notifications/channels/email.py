"""E-mail by SMTP submission: STARTTLS with the certificate checked, a total deadline, and what each refusal means."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tasks.notifications.channels.mail import mail_of
from tasks.notifications.channels.smtp_line import Line
from tasks.utils.rows import Outcome, milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from pathlib import Path

    from tasks.notifications.channels.protocol import Message

FRESH_SECONDS: Final = 20.0  # for so long a connection is kept for the next mail
MOST_IDLE: Final = 4
SERVICE_CLOSES: Final = 421


@dataclass(frozen=True)
class MailServer:
    """Whom to send by. `starttls`: encrypt, or do not send; without `ca_file` the system's authorities are trusted."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = True
    ca_file: Path | None = None


class Mailer:
    """Sends mails. One for the whole process; safe to use from several threads. `deadline` bounds one mail, all in all."""

    def __init__(self, server: MailServer, *, deadline: timedelta, key_pause: timedelta) -> None:
        self._server = server
        self._seconds = deadline.total_seconds()
        self._key_pause_ms = milliseconds(key_pause)
        self._idle: deque[tuple[float, Line]] = deque()

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._server.ca_file)

    def send(self, message: Message) -> Outcome:
        """Send once and classify the answer."""
        recipients = list(dict.fromkeys((*message.options["to"], *message.options.get("cc", ()))))
        mail = mail_of(message, self._server.sender)
        line = self._kept() or Line()
        with line.ending_after(self._seconds):
            outcome = self._sent_by(line, recipients, mail, minimal=message.minimal)
        if outcome.verb == "sent" and len(self._idle) < MOST_IDLE:
            self._idle.append((time.monotonic(), line))
        else:
            line.close()
        return outcome

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.pop()[1].close()

    def _kept(self) -> Line | None:
        while self._idle:
            try:
                since, line = self._idle.pop()
            except IndexError:  # another thread was quicker
                return None
            if time.monotonic() - since < FRESH_SECONDS:
                return line
            line.close()
        return None

    def _sent_by(self, line: Line, recipients: Sequence[str], mail: bytes, *, minimal: bool) -> Outcome:
        try:
            if not line.is_alive():
                self._open(line)
            return self._transact(line, recipients, mail, minimal=minimal)
        except _RefusedError as refused:
            return refused.outcome
        except smtplib.SMTPResponseException as error:
            return Outcome("retry", f"smtp:{error.smtp_code}")
        except ssl.SSLCertVerificationError:
            return Outcome("retry", "certificate_not_trusted")
        except (smtplib.SMTPException, OSError) as error:
            return Outcome("retry", line.failure(error), unclear=line.has_content)

    def _open(self, line: Line) -> None:
        """Connect, encrypt and log in."""
        server = self._server
        line.open(server.host, server.port)
        if server.starttls:
            if not line.has_extn("starttls"):
                raise _RefusedError(Outcome("retry", "starttls_missing"))
            line.starttls(context=self._trust)
            line.ehlo_or_helo_if_needed()
        if server.username:
            self._log_in(line)

    def _log_in(self, line: Line) -> None:
        try:
            line.login(self._server.username, self._server.password)
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code < 500:
                raise
            raise _RefusedError(self._stopped("login_rejected")) from None
        except (smtplib.SMTPNotSupportedError, UnicodeError):
            raise _RefusedError(self._stopped("login_impossible")) from None

    def _transact(self, line: Line, recipients: Sequence[str], mail: bytes, *, minimal: bool) -> Outcome:
        code, _ = line.mail(self._server.sender)
        if code != 250:
            return _later(code) or self._stopped("sender_rejected")
        codes = [line.rcpt(recipient)[0] for recipient in recipients]
        taken = sum(code in (250, 251) for code in codes)
        if SERVICE_CLOSES in codes or not taken:
            return _later(*codes) or Outcome("refused", "recipients_rejected")
        code = line.content(mail)
        if code == 250:
            return Outcome("sent", "" if taken == len(codes) else "some_recipients_rejected")
        if code >= 500 and not minimal:
            return Outcome("minimal", "content_rejected")
        return _later(code) or Outcome("refused", f"smtp:{code}")

    def _stopped(self, reason: str) -> Outcome:
        return Outcome("refused", reason, delay_ms=self._key_pause_ms)


class _RefusedError(Exception):
    """The server cannot be used; `outcome` says what that means."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def _later(*codes: int) -> Outcome | None:
    """A retry, if one of the codes says that the refusal may pass."""
    passing = next((code for code in codes if code < 500), None)
    return Outcome("retry", f"smtp:{passing}") if passing else None
