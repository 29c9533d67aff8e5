"""The installation that tests of clean-up start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.logs.log_kit import LogKit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock


@pytest.fixture
def make_kit(server: Server, client: Any, clock: MovableClock, tmp_path: Path) -> Iterator[Callable[..., LogKit]]:
    del client  # the server is empty
    made: list[LogKit] = []

    def make(**settings: str) -> LogKit:
        made.append(LogKit(server.url, clock, tmp_path, **settings))
        return made[-1]

    yield make
    for kit in made:
        kit.close()


@pytest.fixture
def kit(make_kit: Callable[..., LogKit]) -> LogKit:
    return make_kit()
