from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.kit import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def process() -> Iterator[SandboxProcess]:
    """One sandbox for all tests here; those of start and stop run their own."""
    with SandboxProcess() as running:
        yield running


@pytest.fixture
def sandbox(process: SandboxProcess) -> Iterator[SandboxProcess]:
    """That sandbox, reset, with its two keys. What it answered must be as PagerDuty describes it."""
    process.reset()
    yield process
    process.watch.check()
