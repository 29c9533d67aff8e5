"""One connection to a mail server that can be cut off in time: smtplib's time-outs begin anew with every byte."""

from __future__ import annotations

import re
import smtplib
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_SECONDS: Final = 3.0
READY: Final = 220
_FULL_NAME: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class Line(smtplib.SMTP):
    """smtplib's client. `has_content`: a mail is on its way and no answer to it is here yet."""

    def __init__(self) -> None:
        name = socket.gethostname()
        # smtplib would ask the DNS for our name, which may take longer than the mail.
        super().__init__(local_hostname=name if _FULL_NAME.fullmatch(name) else "[127.0.0.1]", timeout=CONNECT_SECONDS)
        self.has_content = False
        self._handle: socket.socket | None = None
        self._is_cut = False

    @contextmanager
    def ending_after(self, seconds: float) -> Iterator[None]:
        """What is said inside the block ends in time, if need be by the connection."""
        self._is_cut = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        self._seconds = seconds
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def open(self, host: str, port: int) -> None:
        """Connect and greet."""
        self._host = host  # which starttls() holds against the certificate
        code, answer = self.connect(host, port)
        if code != READY:
            raise smtplib.SMTPConnectError(code, answer)
        self.ehlo_or_helo_if_needed()

    def is_alive(self) -> bool:
        """Whether a kept connection still answers."""
        if self.sock is None:
            return False
        try:
            self.rset()
            return self.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            self.close()
            return False

    def content(self, mail: bytes) -> int:
        """Send the content; the code of the answer."""
        self.has_content = True
        try:
            code, _ = self.data(mail)
        except smtplib.SMTPDataError as error:
            code = error.smtp_code
        if self._is_cut:
            raise TimeoutError  # what was read of the answer may be half of it
        self.has_content = False
        return int(code)

    def failure(self, error: Exception) -> str:
        """The name of a failure on this line."""
        return f"network:{'Timeout' if self._is_cut else type(error).__name__}"

    def close(self) -> None:
        """Close the connection without ceremony; it can be opened anew."""
        super().close()
        self.ehlo_resp = self.helo_resp = None
        self.esmtp_features = {}
        if self._handle is not None:
            self._handle.close()

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        """A socket whose connection can be ended from another thread, also while TLS is being agreed on."""
        connection: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        connection.settimeout(self._seconds)
        self._handle = connection.dup()
        if self._is_cut:
            raise TimeoutError
        return connection

    def _cut(self) -> None:
        self._is_cut = True
        if self._handle is not None:
            with suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)
