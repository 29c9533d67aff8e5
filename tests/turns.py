"""Who may run when several processes share the tests (`-n 2`): a test marked `alone` has the machine to itself."""

from __future__ import annotations

import fcntl
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MACHINE = Path(__file__)
TURNSTILE = Path(__file__).with_name("conftest.py")


@contextmanager
def held(path: Path, how: int) -> Iterator[None]:
    """A lock of the kernel on a file that is there anyway; it goes with the process, however that ends."""
    with path.open("rb") as file:
        fcntl.flock(file, how)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a test that wants the machine for itself come last, when nothing long is under way that it would have to wait for."""
    files = {item.path for item in items if item.get_closest_marker("alone")}
    items.sort(key=lambda item: item.path in files)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Fixtures of any scope are inside: what a test starts for itself and others keeps its turn, too."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with ExitStack() as turn:
        # Who waits for the machine holds the turnstile meanwhile: one that wants it alone is not passed for ever.
        with held(TURNSTILE, fcntl.LOCK_EX):
            turn.enter_context(held(MACHINE, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH))
        return (yield)
