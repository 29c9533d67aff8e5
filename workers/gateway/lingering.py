"""A connection's end that the sender's unread bytes do not spoil."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

LINGER_SECONDS: Final = 5.0


class Lingering:
    """`transport`, only that its `close` hears out a sender that still speaks, for up to `LINGER_SECONDS`.

    To close a socket with unread bytes resets it, and a reset takes the answer with it: the sender of a body that is
    too large would read "connection reset" instead of 413, and send it again for ever.
    """

    def __init__(self, transport: asyncio.Transport, is_speaking: Callable[[], bool]) -> None:
        self._transport = transport
        self._is_speaking = is_speaking
        self._timer: asyncio.TimerHandle | None = None
        self.write = transport.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether the answer has been the last; what still comes is not to be looked at."""
        return self._timer is not None or self._transport.is_closing()

    def close(self) -> None:
        """End the connection: once the sender has ended it where it still speaks, else now. A second call ends it now."""
        if self._is_speaking() and not self.is_closing():
            self.linger()
        else:
            self.abandon()

    def linger(self) -> None:
        """Send what is written, and nothing that is written from now on; then wait for the sender's end."""
        self._timer = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.close)
        self._transport.resume_reading()
        self.write = _forget
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def abandon(self) -> None:
        """End the connection now."""
        if self._timer is not None:
            self._timer.cancel()
        self._transport.close()


def _forget(data: bytes | bytearray | memoryview) -> None:
    """What a transport that is closed does with what is written."""
