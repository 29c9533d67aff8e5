"""The REST client, wired to the real server and the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.rest.kit import hurried, make_service, make_user, rest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox


@pytest.fixture
def rest(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[RestClient]:
    with rest_of(client, keys, sandbox.url) as made:
        yield hurried(made)


@pytest.fixture
def user(rest: RestClient, sandbox: Sandbox) -> str:
    """The id of the user in whose name things are done."""
    made = make_user(rest)
    sandbox.clear_log()
    return made


@pytest.fixture
def service(rest: RestClient, user: str, sandbox: Sandbox) -> str:
    """The id of a service."""
    made = make_service(rest, user)
    sandbox.clear_log()
    return made
