"""The REST client, wired to the real server and the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.rest.kit import rest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox


@pytest.fixture
def rest(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[RestClient]:
    with rest_of(client, keys, sandbox.url) as made:
        yield made
