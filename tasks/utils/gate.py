"""Who may work beside whom in one process."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Gate:
    """Lets any number of threads through side by side, or one of them alone; whoever waits to be alone goes first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._waiting = 0
        self._is_taken = False

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        """Work while others do."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_taken and not self._waiting)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Work while nobody else does. Not for a thread that is inside already: it would wait for itself."""
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: not self._is_taken and not self._inside)
            self._waiting -= 1
            self._is_taken = True
        try:
            yield
        finally:
            with self._changed:
                self._is_taken = False
                self._changed.notify_all()
