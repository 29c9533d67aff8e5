"""Keys that are Tocsin's own: nobody need be asked to make one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from tasks.tokens.rotation.turner import Made

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from tasks.tokens.rotation.models import Rotation
    from tasks.tokens.rotation.turner import Found

JWT_BYTES: Final = 48
INGEST_BYTES: Final = 16  # 32 letters and digits


class JwtTurner:
    """The secret that signs access tokens. The former one is taken as long as a token it signed may be valid."""

    def make(self, old: Found, rotation: Rotation) -> Made:
        """A new secret."""
        del old, rotation
        return Made(secrets.token_urlsafe(JWT_BYTES))

    def prove(self, new: Found, rotation: Rotation) -> None:
        """There is nothing to prove: whoever signs with it has it."""

    def needed(self, rotation: Rotation) -> str:
        """No: by now every token it signed has ended."""
        del rotation
        return ""

    def remove(self, rotation: Rotation) -> None:
        """There is nothing to delete."""


class IngestTurner(JwtTurner):
    """A key that senders send with. The former one is taken until nobody has sent with it for a while."""

    def __init__(self, last_used_ms: Callable[[str], int], now_ms: Callable[[], int], quiet: timedelta) -> None:
        self._last_used_ms = last_used_ms
        self._now_ms = now_ms
        self._quiet = quiet

    def make(self, old: Found, rotation: Rotation) -> Made:
        """A new key."""
        del old, rotation
        return Made(secrets.token_hex(INGEST_BYTES))

    def needed(self, rotation: Rotation) -> str:
        """Whether somebody still sends with it."""
        ago = self._now_ms() - self._last_used_ms(rotation.old)
        if ago >= self._quiet.total_seconds() * 1000:
            return ""
        return f"a sender still used the former key {rotation.old} {ago // 60_000} minutes ago; give it the new one"
