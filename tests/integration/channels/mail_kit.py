"""A real mail server in a thread of its own that keeps what it takes and refuses what a test tells it to."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

if TYPE_CHECKING:
    from email.message import EmailMessage

    from tests.tls import Issued

SENDER = "tocsin@sender.example"
USER, PASSWORD = "tocsin-user", "geheim-geheim-geheim"


@dataclass
class Postbox:
    """What the server took, and how it answers: `answers` by command, or by command and address."""

    answers: dict[str, str] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    logins: int = 0
    greetings: int = 0

    @property
    def mails(self) -> list[EmailMessage]:
        """The mails, as their readers see them."""
        return [message_from_bytes(one.content or b"", policy=default) for one in self.taken]  # type: ignore[arg-type, misc]

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, host: str, lines: list[str]
    ) -> Any:
        session.host_name = host
        self.greetings += 1
        return lines

    async def handle_MAIL(self, _server: SMTP, _s: Session, envelope: Envelope, address: str, _options: Any) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server: SMTP, _s: Session, envelope: Envelope, address: str, _options: Any) -> str:
        answer = self.answers.get(f"RCPT {address}") or self.answers.get("RCPT", "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        answer = self.answers.get("DATA", "250 OK")
        if answer.startswith("2"):
            self.taken.append(envelope)
        return answer

    def log_in(self, _server: SMTP, _s: Session, _e: Envelope, _mechanism: str, data: LoginPassword) -> AuthResult:
        """Take USER with PASSWORD, and nobody else."""
        self.logins += 1
        right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        if "AUTH" in self.answers:
            return AuthResult(success=False, handled=False, message=self.answers["AUTH"])
        return AuthResult(success=right, handled=False, message=None if right else "535 5.7.8 no")


class Server(Controller):
    """aiosmtpd on a free port; with a certificate it offers STARTTLS, and logins only after that."""

    def __init__(self, postbox: Postbox, certificate: Issued | None = None, *, asks_for_login: bool = False) -> None:
        more: dict[str, Any] = {}
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate.cert, certificate.key)
            more = {"tls_context": context}
        if asks_for_login:
            more |= {
                "authenticator": postbox.log_in,
                "auth_required": True,
                "auth_require_tls": certificate is not None,
            }
        super().__init__(postbox, hostname="127.0.0.1", port=0, **more)

    def _trigger_server(self) -> None:
        self.port = int(self.server.sockets[0].getsockname()[1])
        super()._trigger_server()
