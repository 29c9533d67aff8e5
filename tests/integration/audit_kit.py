"""A ledger to seal, prove and tamper with: entries without alerts behind them, on a real server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.audit.service import AuditRules, AuditService

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.keys import Keys

KEY = b"k" * 32


@dataclass
class LedgerKit:
    """Writes stories the way the scripts do, and lays hands on the archive."""

    client: Any
    keys: Keys
    folder: Path
    batch: int = 5000

    @property
    def audit(self) -> AuditService:
        """A new service, as after a restart."""
        return self.with_keys(KEY)

    def with_keys(self, *keys: bytes) -> AuditService:
        """A service that signs with the first key."""
        rules = AuditRules(self.folder, keys, seal_batch=self.batch, archive_page=3, retention=timedelta(hours=48))
        return AuditService(self.client, self.keys, rules)

    def now(self) -> int:
        """The one clock (ms)."""
        seconds, micros = self.client.time()
        return int(seconds) * 1000 + int(micros) // 1000 + int(self.client.get(self.keys.clock) or 0)

    def deliver(self, *event_ids: str) -> None:
        """Three entries an event: accepted, attempt, sent."""
        for event_id in event_ids:
            for step, reason, detail in (("accepted", "trigger", "shop"), ("attempt", "p", "1"), ("sent", "p", "1")):
                fields = {"e": event_id, "s": step, "r": reason, "d": detail, "t": self.now()}
                self.client.xadd(self.keys.ledger, fields)

    def file(self) -> Path:
        """The newest archive file."""
        return max(self.folder.glob("2*.jsonl"))

    def lines(self) -> list[bytes]:
        """Its lines."""
        return self.file().read_bytes().splitlines(keepends=True)

    def rewrite(self, lines: list[bytes]) -> None:
        """Other lines in their place."""
        self.file().write_bytes(b"".join(lines))

    def numbers(self) -> list[int]:
        """The entry numbers of all files, in order."""
        files = sorted(self.folder.glob("2*.jsonl"))
        return [int(line.split(b",", 1)[0][5:]) for path in files for line in path.read_bytes().splitlines()]

    def wrongs(self) -> list[str]:
        """What the proof says is broken."""
        return [broken.wrong for broken in self.audit.prove().broken]
