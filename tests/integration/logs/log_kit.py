"""An installation with records of all classes, on a clock that is moved; and its clean-up, wired as in production."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from config.settings import load
from tasks.runtime import Runtime
from tests.integration.audit_kit import LedgerKit
from tests.unit.config_kit import ENCRYPTION_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.logs.models import CleanUpReport
    from tasks.utils.clock import MovableClock

DAY = timedelta(days=1)
SECRET_WORDS = "the cat sat on the mat"


class LogKit:
    """Writes records, ages them, cleans up."""

    def __init__(self, url: str, clock: MovableClock, folder: Path, **settings: str) -> None:
        self.clock = clock
        self.state = folder / "state"
        self.state.mkdir(exist_ok=True)
        self.environ = {
            "REDIS_URL": url,
            "TOCSIN_STATE_DIR": str(self.state),
            "ENCRYPTION_KEY": ENCRYPTION_KEY,
            **{f"TOCSIN_LOGS__{name.upper()}": value for name, value in settings.items()},
        }
        self.runtime = Runtime(load(environ=self.environ))
        self._made = [self.runtime]
        self.ledger = LedgerKit(self.runtime.client, self.runtime.keys, self.state / "ledger")

    def close(self) -> None:
        for runtime in self._made:
            runtime.client.close()

    def process(self, **environ: str) -> Runtime:
        """Another process of this machine."""
        self._made.append(Runtime(load(environ={**self.environ, **environ})))
        return self._made[-1]

    def days(self, count: int, *, each: int = 3) -> None:
        """So many days with events that end, sealed; each leaves a file."""
        for _ in range(count):
            now = self.clock.now()
            self.ledger.deliver(*(f"{now:%m%d%H%M%S}-{number}" for number in range(each)))
            self.runtime.audit.seal()
            self.clock.advance(DAY)

    def age(self, days: float) -> None:
        """Let so many days go by."""
        self.clock.advance(days * DAY)

    def clean(self, *classes: str, dry_run: bool = False) -> CleanUpReport:
        """Clean up, by a process of its own."""
        return Runtime(load(environ=self.environ)).logs.clean_up.run(classes, dry_run=dry_run)

    def told(self, kind: str, **how: Any) -> Any:
        """What is reported of one class."""
        return next(one for one in self.clean(kind, **how).classes if one.kind == kind)

    def write(self, name: str, text: str, *, days_old: float = 0) -> Path:
        """A file of the state folder, last written to so long ago."""
        path = self.state / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        at = (self.clock.now() - days_old * DAY).timestamp()
        os.utime(path, (at, at))
        return path

    def ledger_files(self) -> list[str]:
        return sorted(path.name for path in (self.state / "ledger").glob("2*.jsonl"))

    def digests(self) -> dict[str, str]:
        """The SHA-256 of every file of the ledger, by name."""
        folder = self.state / "ledger"
        return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in self.ledger_files()}

    def everything_stored(self) -> bytes:
        """All that lies in the folder of archives."""
        return b"".join(path.read_bytes() for path in (self.state / "archives").rglob("*") if path.is_file())

    def put_result(self, task_id: str, done: datetime, answer: Any = SECRET_WORDS) -> None:
        """What a task answered, as Celery keeps it."""
        text = json.dumps({"status": "SUCCESS", "result": answer, "date_done": done.isoformat(), "task_id": task_id})
        self.runtime.client.set(self.runtime.keys.result(task_id), text)
