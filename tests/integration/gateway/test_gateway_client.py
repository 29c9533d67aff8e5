"""The gateway's way to Redis: whatever goes wrong with it is an error the spool knows how to meet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import redis
import uvloop
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from workers.gateway.server import Client

if TYPE_CHECKING:
    from deploy.local.embedded import Server


class ResetWhileSending(Connection):
    """A connection that is reset after it was found fit and before it is written to."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's
        if self.is_connected:
            self._writer.transport.abort()
            await asyncio.sleep(0)
        await super().send_packed_command(command, check_health)


def test_a_connection_reset_before_it_is_written_to_is_a_lost_connection(server: Server) -> None:
    async def ask() -> None:
        url = server.url + "?protocol=2"
        async with Client.from_url(url, connection_class=ResetWhileSending, retry=Retry(NoBackoff(), 1)) as client:
            await client.ping()

    with pytest.raises(redis.ConnectionError):
        uvloop.run(ask())
