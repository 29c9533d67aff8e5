"""What the last run of each verb has found, for whoever watches over backups: `tocsin health`, `tocsin backups list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import redis
import structlog

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tasks.utils.keys import Keys

log = structlog.get_logger("tocsin.backups")

Verb = Literal["created", "verified", "pruned", "drilled", "restored"]


class BackupStanding:
    """One field a verb, in Redis. Backups themselves are told by their repository, whatever becomes of Redis."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def note(self, verb: Verb, report: BaseModel) -> None:
        """Remember; without Redis nothing is remembered, which is told."""
        try:
            self._client.hset(self._keys.backups, verb, report.model_dump_json())
        except redis.RedisError as error:
            log.warning("backup_not_noted", verb=verb, error=type(error).__name__)

    def has_any(self, verb: Verb) -> bool:
        """Whether it was ever done, as far as Redis can say."""
        try:
            return bool(self._client.hexists(self._keys.backups, verb))
        except redis.RedisError:
            return False

    def read(self, verb: Verb) -> str | None:
        """The last report as JSON; None where there is none."""
        kept: str | None = self._client.hget(self._keys.backups, verb)
        return kept
