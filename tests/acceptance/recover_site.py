"""An installation that has a backup, loses everything, and is recovered step by step in this process."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from config.settings import load
from tasks.alerts.models import SilenceDraft
from tasks.runtime import Runtime
from tests.acceptance.recovery_world import write_config
from tests.loss import lose_everything
from workers.cli.recovery_walk import Walk

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.keys import Keys


class Site:
    """An installation with a silence, whose folders and server can be lost; this process is its shell."""

    def __init__(self, folder: Path, environ: dict[str, str], client: Any, keys: Keys) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.backups = folder / "backups"
        self.client, self.keys = client, keys
        write_config(self.config)
        self.environ = environ
        self.runtime = Runtime(load(environ=environ))

    def back_up(self) -> str:
        """The id of a new backup."""
        return str(self.runtime.backups.service.create(["state", "config"]).backup.id)

    def silence(self) -> None:
        """One more silence, which the next backup has."""
        draft = SilenceDraft(matchers=["component=disk"], duration_seconds=3600, author="ada", comment="moving")
        self.runtime.silences.create(draft)

    def lose_everything(self) -> None:
        """Folders and server are empty."""
        self.runtime.client.close()
        lose_everything(self.client, self.keys)
        for folder in (self.config, self.folder / "state"):
            shutil.rmtree(folder, ignore_errors=True)

    def silences(self) -> int:
        """How many Redis knows."""
        return int(self.client.hlen(self.keys.rules))


def put_right(site: Site) -> Walk:
    """A recovery from its beginning to its end."""
    walk = Walk("latest", dry_run=False)
    walk.files()
    walk.rest(walk.settings())
    return walk
