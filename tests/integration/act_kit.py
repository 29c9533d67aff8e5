"""A record of acts to seal, read and tamper with, on a real server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.audit.act_archive import ActArchive
from tasks.audit.act_filter import ActFilter
from tasks.audit.service import AuditRules
from tasks.utils.audit_logger import Act, Actor, AuditLogger

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.audit.act_models import ActView
    from tasks.audit.models import Broken
    from tasks.utils.keys import Keys

ANNA = Actor("person", "anna", "bastion pts/1")
KEY = b"k" * 32


@dataclass
class ActKit:
    """Writes acts through their door, and lays hands on what became of them."""

    client: Any
    keys: Keys
    state: Path

    @property
    def door(self) -> AuditLogger:
        """A new door, as of another process."""
        return AuditLogger(self.client, self.keys, self.folder)

    @property
    def archive(self) -> ActArchive:
        """New services, as after a restart."""
        return self.with_keys(KEY)

    @property
    def folder(self) -> Path:
        """Where the record is sealed."""
        return self.state / "acts"

    def with_keys(self, *keys: bytes) -> ActArchive:
        """Services that sign with the first key."""
        rules = AuditRules(self.state, keys, archive_page=3, retention=timedelta(hours=48))
        return ActArchive(self.client, self.keys, rules, self.state)

    def do(self, *actions: str) -> None:
        """Acts of Anna's that went well."""
        for action in actions:
            self.door.record(Act(action, f"thing/{action}", ANNA))

    def file(self) -> Path:
        """The newest file."""
        return max(self.folder.glob("2*.jsonl"))

    def lines(self) -> list[bytes]:
        """Its lines."""
        return self.file().read_bytes().splitlines(keepends=True)

    def rewrite(self, lines: list[bytes]) -> None:
        """Other lines in their place."""
        self.file().write_bytes(b"".join(lines))

    def broken(self) -> list[Broken]:
        """What the check says is at fault."""
        return self.archive.acts.verify().broken

    def read(self, **wanted: Any) -> list[ActView]:
        """The acts that fit."""
        return list(self.archive.read(ActFilter(**wanted)))

    def actions(self, **wanted: Any) -> list[str]:
        """What was done, of those that fit."""
        return [act.action for act in self.read(**wanted)]
