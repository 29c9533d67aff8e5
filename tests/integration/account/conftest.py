"""Two accounts: one that is backed up, and one that is restored into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.account.kit import client_of
from tests.integration.sandbox.kit import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient


@pytest.fixture(scope="session")
def sandboxes() -> Iterator[tuple[SandboxProcess, SandboxProcess]]:
    with SandboxProcess("--no-limits") as source, SandboxProcess("--no-limits") as target:
        yield source, target


@pytest.fixture
def source(sandboxes: tuple[SandboxProcess, SandboxProcess]) -> Iterator[SandboxProcess]:
    """The account that is backed up."""
    sandboxes[0].control("POST", "/reset")
    yield sandboxes[0]
    sandboxes[0].watch.check()


@pytest.fixture
def target(sandboxes: tuple[SandboxProcess, SandboxProcess]) -> Iterator[SandboxProcess]:
    """An account with nobody in it."""
    sandboxes[1].control("POST", "/reset")
    yield sandboxes[1]
    sandboxes[1].watch.check()


@pytest.fixture
def rest(client: Any, keys: Keys, source: SandboxProcess) -> Iterator[RestClient]:
    with client_of(client, keys, source) as made:
        yield made


@pytest.fixture
def other(client: Any, keys: Keys, target: SandboxProcess) -> Iterator[RestClient]:
    """A client of the account that is restored into."""
    with client_of(client, keys, target) as made:
        yield made
