"""What was found amiss and what was told of it, so that a restart neither repeats nor forgets."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import structlog

from tasks.health.standing import Standing
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tasks.utils.keys import Keys

log = structlog.get_logger("tocsin.sentinel")

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


class FleetMemory:
    """What concerns the whole fleet, in Redis."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._epoch = ""

    def load(self) -> dict[str, Standing]:
        """Everything, by the id of its finding."""
        self._epoch = self._client.get(self._keys.epoch) or ""
        return {name: Standing.from_json(text) for name, text in self._client.hgetall(self._keys.own_alerts).items()}

    def put(self, name: str, standing: Standing | None) -> None:
        """Keep one as it stands now; None forgets it. Nothing, if Redis lost everything since it was loaded: a new look tells."""
        self._scripts.run("own_put", name, "" if standing is None else standing.to_json(), self._epoch)


class FileMemory:
    """What one machine sees, in a small file. A disk that is full makes nobody mute: then it is kept in this process only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unwritten: dict[str, Standing] | None = None

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no other sentinel of this machine is looking right now; none is let in meanwhile."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
            lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        except OSError as error:
            log.warning("own_alerts_not_locked", error=type(error).__name__, file=str(self._path))
            yield True
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(lock)

    def load(self) -> dict[str, Standing]:
        """Everything, by the id of its finding; a file that cannot be read counts as empty."""
        if self._unwritten is not None:
            return dict(self._unwritten)
        try:
            kept: Mapping[str, str] = json.loads(self._path.read_text("utf-8"))
            return {name: Standing.from_json(text) for name, text in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("own_alerts_unreadable", error=type(error).__name__, file=str(self._path))
            return {}

    def put(self, name: str, standing: Standing | None) -> None:
        """Keep one as it stands now; None forgets it."""
        before = self.load()
        after = {key: kept for key, kept in before.items() if key != name}
        if standing is not None:
            after[name] = standing
        if after == before:
            return
        try:
            self._write(after)
            self._unwritten = None
        except OSError as error:
            if self._unwritten is None:
                log.warning("own_alerts_not_kept", error=type(error).__name__, file=str(self._path))
            self._unwritten = after

    def _write(self, standings: Mapping[str, Standing]) -> None:
        """Replace the file as a whole; on the disk when this returns."""
        text = json.dumps({name: standing.to_json() for name, standing in standings.items()})
        draft = self._path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
