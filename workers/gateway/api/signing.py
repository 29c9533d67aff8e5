"""The access tokens a gateway takes: signed with the secrets as they are set by now, and not revoked."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from typing import TYPE_CHECKING, Final

from config.errors import ConfigError
from config.settings import load
from tasks.tokens.service import AccessTokens, NoSecretError
from tasks.tokens.wiring import token_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.models import Settings
    from tasks.tokens.models import AccessToken
    from workers.gateway.api.revoked import RevocationWatch

REREAD_AFTER: Final = 1.0  # seconds at least between two looks for new secrets
SECRET_FILES: Final = (
    "JWT_SECRET_FILE",
    "TOCSIN_SECURITY__JWT_SECRET_FILE",
    "TOCSIN_SECURITY__JWT_PREVIOUS_SECRETS_FILE",
)
Signing = AccessTokens | NoSecretError
Stamp = tuple[tuple[int, int, int] | None, ...]

log = logging.getLogger(__name__)


class TokenCheck:
    """Checks tokens. A secret that was changed in its file counts within a second or so, without a restart."""

    def __init__(
        self,
        settings: Settings,
        revoked: RevocationWatch,
        read: Callable[[], Settings] = load,
        every: float = REREAD_AFTER,
    ) -> None:
        self._signing = signing_of(settings)
        self._revoked = revoked
        self._read = read
        self._every = every
        self._files = [*filter(None, map(os.environ.get, SECRET_FILES)), *_yaml(settings)]
        self._stamp = self._look()
        self._looked = time.monotonic()
        self._renewing: asyncio.Task[None] | None = None

    def turn_to(self, settings: Settings) -> None:
        """Take tokens signed with the secrets that these settings have."""
        self._signing = signing_of(settings)

    async def begin(self) -> None:
        """Learn what is revoked before the first request: Redis may be away by then."""
        await self._revoked.look()

    async def check(self, token: str) -> AccessToken:
        """What a good token says; RefusedTokenError or NoSecretError where there is none, TransientError where it cannot be told."""
        await self._renew()
        said = self.read(token)
        await self._revoked.check(said)
        return said

    def read(self, token: str) -> AccessToken:
        """What a token says that is good by itself, revoked or not."""
        signing = self._signing
        if isinstance(signing, NoSecretError):
            raise NoSecretError(str(signing))
        return signing.check(token)

    async def _renew(self) -> None:
        """Read the secrets anew where a file that may hold them has changed, all who ask at once together."""
        if self._renewing is None and time.monotonic() - self._looked >= self._every:
            self._looked = time.monotonic()
            stamp = self._look()
            if stamp != self._stamp:
                self._renewing = asyncio.create_task(self._reread(stamp))
        if self._renewing is not None:
            await asyncio.shield(self._renewing)

    async def _reread(self, stamp: Stamp) -> None:
        try:
            self._signing = signing_of(await asyncio.to_thread(self._read))
            self._stamp = stamp
        except (ConfigError, OSError) as error:  # what was set before holds until that is mended
            log.warning("the secrets of access tokens could not be read anew: %s", error)
        finally:
            self._renewing = None

    def _look(self) -> Stamp:
        return tuple(map(_stamp, self._files))


def signing_of(settings: Settings) -> Signing:
    """What checks tokens by their signature, or why there is nothing to check them with."""
    try:
        return AccessTokens(token_rules(settings))
    except NoSecretError as error:
        return error  # the other doors need no token


def _yaml(settings: Settings) -> list[str]:
    names = ("pagerduty.yaml", f"environments/{settings.environment}.yaml")
    return [str(settings.config_dir / name) for name in names]


def _stamp(file: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - a fifth of the time a Path takes, on the event loop
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
