"""What is revoked, as the gateway knows it: looked up in memory, read anew from Redis once it is a second old."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from redis import RedisError

from tasks.tokens.revocation import RevocationList, in_words
from tasks.tokens.revocations import put_arguments, read_look
from tasks.tokens.service import RefusedTokenError
from tasks.utils.error_handler import TransientError
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from tasks.tokens.models import AccessToken
    from tasks.tokens.revocations import RevocationCopy
    from tasks.utils.keys import Keys

FRESH: Final = 1.0  # seconds
PATIENCE: Final = 0.5  # seconds a request waits for a look
UNKNOWN: Final = (
    "Redis does not answer, and this gateway has never known which tokens are revoked; try again, or raise alerts "
    "through /v2/enqueue with an ingest key"
)

log = logging.getLogger(__name__)


class RevocationWatch:
    """Refuses revoked tokens.

    While Redis is away the list known last counts, from this process or from the copy on disk: nothing can be revoked
    meanwhile. Where none was ever known no token is taken. What Redis has lost and this gateway knows is put back.
    """

    def __init__(self, client: Any, keys: Keys, copy: RevocationCopy, fresh: float = FRESH) -> None:
        self._scripts = Scripts(client, keys)
        self._copy = copy
        self._known = copy.read()
        self._version = ""
        self._fresh = fresh
        self._looked = -fresh
        self._is_failing = False
        self._looking: asyncio.Task[None] | None = None

    async def check(self, token: AccessToken) -> None:
        """Return if the token stands; RefusedTokenError if it is revoked, TransientError if that cannot be told."""
        if time.monotonic() - self._looked >= self._fresh:
            await self.look()
        if self._known is None:
            raise TransientError(UNKNOWN)
        found = self._known.of(token)
        if found is not None:
            raise RefusedTokenError(in_words(found))

    async def look(self) -> None:
        """Have the list read, all who ask at once together. Nobody waits twice for a server that does not answer."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._read())
        if not self._is_failing or self._known is None:
            await asyncio.wait({self._looking}, timeout=2 * PATIENCE)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self._scripts.run("revocations_look", self._version)
            await self._take(answer)
        except (RedisError, OSError) as error:  # TimeoutError is one
            if not self._is_failing:
                log.warning("revocations cannot be read: %s", type(error).__name__)
            self._is_failing = True
        else:
            self._is_failing = False
        finally:
            self._looked = time.monotonic()
            self._looking = None

    async def _take(self, answer: Any) -> None:
        looked = await asyncio.to_thread(read_look, answer)
        known = (self._known or RevocationList()).alive(looked.now)
        if looked.found is None:
            self._known = known
            return
        lost = known.beyond(looked.found)
        for one in lost:
            await self._scripts.run("revocation_put", *put_arguments(one))
        if lost:
            log.info("Redis had lost %d revocations of tokens; they are in force again", len(lost))
        self._known = looked.found.joined(RevocationList(lost))
        self._version = "" if lost else looked.version
        await asyncio.to_thread(self._copy.write, self._known)
