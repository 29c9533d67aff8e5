import signal
import socket
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Letterbox(Generic[T]):
    """What the main thread waits for, put in by other threads and by signal handlers. A context manager.

    A signal may hit any thread, and the main thread, which alone runs handlers, does not wake up for it if it waits for
    a lock, as a queue does. A byte on a socket wakes it: Python writes one for every signal, and so does `put`.
    """

    def __init__(self) -> None:
        self._letters: SimpleQueue[T] = SimpleQueue()
        self._bell, self._rope = socket.socketpair()
        self._rope.settimeout(0)

    def __enter__(self) -> Self:
        signal.set_wakeup_fd(self._rope.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        self._bell.close()
        self._rope.close()

    def put(self, letter: T) -> None:
        """Leave a letter. Any thread may, and any signal handler."""
        self._letters.put(letter)
        with suppress(OSError):  # full: bytes enough lie there to wake anybody; closed: nobody waits any more
            self._rope.send(b"!")

    def get(self) -> T:
        """The next letter, as soon as there is one. For the main thread only."""
        while self._letters.empty():
            self._bell.recv(64)
        return self._letters.get()
