"""Several calls at once, as many as there are hands and no more waiting than that."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

AHEAD = 4


class Crew:
    """Does what it is given on several threads. The first error ends it: `do` and `join` raise it, and nothing more is begun."""

    def __init__(self, hands: int) -> None:
        self._pool = ThreadPoolExecutor(hands, thread_name_prefix="account")
        self._most = hands * AHEAD
        self._room = threading.BoundedSemaphore(self._most)
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._error = self._error or error
        self._pool.shutdown(wait=True, cancel_futures=True)
        if error is None:
            self._raise()

    def do(self, work: Callable[..., None], *arguments: Any) -> None:
        """Have it done soon; waits while too much waits."""
        self._room.acquire()
        self._raise(release=True)
        self._pool.submit(self._run, work, arguments)

    def join(self) -> None:
        """Wait until all that was given is done."""
        for _ in range(self._most):
            self._room.acquire()
        for _ in range(self._most):
            self._room.release()
        self._raise()

    def all(self, work: Callable[..., None], each: Iterable[Any]) -> None:
        """Do it to each of these, and wait."""
        for one in each:
            self.do(work, one)
        self.join()

    def _run(self, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            if self._error is None:
                work(*arguments)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = self._error or error
        finally:
            self._room.release()

    def _raise(self, *, release: bool = False) -> None:
        if self._error is None:
            return
        if release:
            self._room.release()
        raise self._error
