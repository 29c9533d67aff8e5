"""A real server and a real gateway for each file, and a client that finds the server empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deploy.local.embedded import Server, start_server
from tests.integration.gateway_kit import Gateway, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(server, tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def http(gateway: Gateway, server: Server) -> Iterator[httpx.Client]:
    with server.client() as redis:
        redis.flushall()
    with gateway.client() as client:
        yield client
