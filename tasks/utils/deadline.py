"""A total deadline for HTTP, which httpx lacks: a server that drips one byte a second would hold a worker for ever."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import httpcore
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator, Sequence


class AddressBook(Protocol):
    """Says which addresses a host name may be reached at."""

    def addresses(self, host: str, port: int) -> list[str]:
        """Those to connect to; OSError where the name is not known."""
        ...


class Deadline:
    """The moment by which the calling thread's request must be over."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Requests of this thread inside the block end in time or raise a time-out."""
        self._local.at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._local.at = None

    def left(self, timeout: float | None, error: type[httpcore.TimeoutException]) -> float | None:
        """What is left of `timeout` under the deadline; raises `error` when nothing is."""
        at: float | None = getattr(self._local, "at", None)
        if at is None:
            return timeout
        left = at - time.monotonic()
        if left <= 0:
            raise error("the total deadline has passed")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    """A network stream every wait of which ends at the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens such streams; with a guard, to addresses that it let pass."""

    def __init__(
        self, deadline: Deadline, guard: AddressBook | None = None, inner: httpcore.NetworkBackend | None = None
    ) -> None:
        self._deadline = deadline
        self._guard = guard
        self._inner = inner or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        if self._guard is None:
            return self._connect(host, port, timeout, local_address, socket_options)
        failure: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("the name has no address")
        for address in self._guarded(self._guard, host, port):
            try:
                return self._connect(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _guarded(self, guard: AddressBook, host: str, port: int) -> Sequence[str]:
        try:
            return guard.addresses(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error

    def _connect(
        self,
        host: str,
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._deadline)


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's own transport on such a backend. There is no setting for it: `_pool` is reached, and a test watches it."""

    def __init__(
        self,
        deadline: Deadline,
        *,
        verify: ssl.SSLContext | bool = True,
        limits: httpx.Limits,
        guard: AddressBook | None = None,
    ) -> None:
        super().__init__(verify=verify, limits=limits)
        self._pool._network_backend = _Backend(deadline, guard)  # noqa: SLF001 - the only way
