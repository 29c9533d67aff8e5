"""Cleaning up as the settings have it: a part of the wiring beside `runtime`."""

from __future__ import annotations

import socket
from base64 import urlsafe_b64decode
from functools import cached_property
from typing import TYPE_CHECKING, Final

from config.keyring import prf
from tasks.audit.anchors import Anchors
from tasks.audit.archive import Archive
from tasks.audit.outgoing import Outgoing, StillOpen
from tasks.audit.wiring import audit_rules
from tasks.logs.archives import Archives
from tasks.logs.chain import ArchiveChain
from tasks.logs.files import Files, is_held
from tasks.logs.holds import Holds
from tasks.logs.items import KINDS
from tasks.logs.record_files import RecordFiles
from tasks.logs.relisting import Relisting
from tasks.logs.restoring import BroughtBack, Restores
from tasks.logs.rows import Letters, Results
from tasks.logs.service import CleanUp, CleanUpRules
from tasks.logs.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.logs.items import Source
    from tasks.runtime import Runtime

LABEL: Final = b"tocsin list of archives"
BUSY: Final = "a process of `tocsin up` writes to it"
DRAFTS: Final = ("*.new", "*.tmp", ".*.new", ".*.tmp", ".*.part")
DRAFTED: Final = ("ledger", "acts", "restore", "logs", "security", "exports")


class LogWiring:
    """What is done with records that are past their time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._state = runtime.settings.state_dir

    @property
    def folder(self) -> Path:
        """Where archives lie."""
        return self._settings.logs.archives or self._state / "archives"

    @cached_property
    def archives(self) -> Archives:
        """Lists, verifies and opens them."""
        runtime, host = self._runtime, socket.gethostname()
        return Archives(runtime.client, runtime.keys, self._vault, self._chain, host)

    @cached_property
    def relisting(self) -> Relisting:
        """Makes a list that was lost anew."""
        return Relisting(self.archives, self._vault, self._chain)

    @cached_property
    def holds(self) -> Holds:
        """Legal holds."""
        runtime = self._runtime
        return Holds(runtime.client, runtime.keys, self._state / "log-holds.json", runtime.clock)

    @cached_property
    def clean_up(self) -> CleanUp:
        """Archives and deletes."""
        runtime, logs = self._runtime, self._settings.logs
        retention = {kind: getattr(logs.retention, kind) for kind in KINDS}
        rules = CleanUpRules(socket.gethostname(), retention, logs.bytes_per_run, logs.items_per_run)
        return CleanUp(self._sources, self.archives, self.holds, runtime.flights, runtime.clock, rules)

    @cached_property
    def restores(self) -> Restores:
        """Brings back what archives hold."""
        return Restores(self.archives, self._sources, self.holds, self._runtime.clock)

    @cached_property
    def _vault(self) -> Vault:
        return Vault(self.folder, self._runtime.security)

    @cached_property
    def _chain(self) -> ArchiveChain:
        secrets = (urlsafe_b64decode(text) for text in self._settings.security.key_texts)
        return ArchiveChain(self.folder, [prf(secret, LABEL) for secret in secrets])

    @cached_property
    def _sources(self) -> list[Source]:
        client, keys, back = self._runtime.client, self._runtime.keys, self._state / "restored"
        return [
            Results(client, keys, back),
            RecordFiles("ledgers", self._record("ledger", StillOpen(client, keys))),
            RecordFiles("audit", self._record("acts"), "acts-"),
            RecordFiles("audit", self._record("acts/pagerduty"), "pagerduty-"),
            Letters(client, keys),
            Files(
                "worker_logs", self._state / "logs", ("*.log", "*.log.[0-9]*"), back, claims=True, open_why=self._busy
            ),
            Files("metrics", self._state, ("reports/*", "metrics/*"), back),
            Files("exports", self._state, ("exports/*",), back),
            Files("spool", self._state / "spool", ("*.damaged", "damaged*"), back),
            Files("temp", self._state, DRAFTS, back),
            *(Files("temp", self._state / name, DRAFTS, back) for name in DRAFTED),
            *(Files("temp", self.folder / kind, DRAFTS, back) for kind in KINDS),
            *(BroughtBack(kind, back, self._runtime.clock) for kind in KINDS),
        ]

    def _record(self, name: str, still_open: StillOpen | None = None) -> Outgoing:
        folder, rules = self._state / name, audit_rules(self._settings)
        return Outgoing(Archive(folder), Anchors(folder, rules.signing_keys), self._runtime.clock, still_open)

    def _busy(self, path: Path) -> str:
        """A log that was set aside is nobody's; the others are, while the group that writes them lives."""
        return BUSY if path.suffix == ".log" and is_held(self._state / "up.lock") else ""
