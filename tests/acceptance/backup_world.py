"""An installation that backs up, loses all it has, and is made anew from its backup on an empty machine."""

from __future__ import annotations

import math
import os
import shutil
import time
from typing import TYPE_CHECKING, Any, Final

from tasks.runtime import Runtime
from tests.acceptance.sync_world import SERVICES, TOKEN, World
from tests.integration.backups.repository_kit import KEY
from tests.left import Left
from tests.loss import lose_everything

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.backups.models import RestoreReport
    from tests.conftest import Sandbox

POLICY: Final = "steps:\n  - {name: standby, after: 10m, targets: [{channel: standby}]}\n"


class BackupWorld(World):
    """`shop` escalates to its standby after ten minutes; what backs up lies in a folder of its own."""

    services: Final = {**SERVICES, "shop": SERVICES["shop"] + "escalation: nights\n"}

    def __init__(self, folder: Path, redis_url: str, sandbox: Sandbox, **environ: str) -> None:
        self.folder = folder
        self.began = time.monotonic()
        (folder / "config" / "policies").mkdir(parents=True)
        (folder / "config" / "policies" / "nights.yaml").write_text(POLICY)
        self.environment = {"ENCRYPTION_KEY": KEY, "TOCSIN_BACKUPS__FOLDER": str(folder / "backups"), **environ}
        super().__init__(folder / "config", redis_url, sandbox, **self.environment)

    def environ(self) -> dict[str, str]:
        """The environment of the program on this machine."""
        settings = self.runtime.settings
        return {
            **os.environ,
            **self.environment,
            "REDIS_URL": settings.redis.url.get_secret_value(),
            "TOCSIN_STATE_DIR": str(settings.state_dir),
            "TOCSIN_CONFIG_DIR": str(settings.config_dir),
            "TOCSIN_DEFAULT_SERVICE": settings.default_service,
            "PAGERDUTY_API_KEY": TOKEN,
            "PAGERDUTY_FROM_EMAIL": "bot@example.com",
        }

    def restart(self) -> None:
        """Work on as a new process."""
        self.__exit__()
        self.runtime = Runtime(self.runtime.settings)

    def lose_the_machine(self) -> None:
        """Redis is empty, and so is the state folder; only the backups are left."""
        offset = self.client.get(self.keys.clock) or 0
        lose_everything(self.client, self.keys)
        self.client.set(self.keys.clock, offset)
        shutil.rmtree(self.runtime.settings.state_dir)
        self.restart()

    def restore(self, *targets: str) -> RestoreReport:
        """The latest backup, these parts of it."""
        restores = self.runtime.backups.restores
        return restores.apply(restores.plan("latest", targets))

    def planned(self, *targets: str) -> list[tuple[str, str]]:
        """What would be done with what."""
        plan = self.runtime.backups.restores.plan("latest", targets).view
        return [(change.verb, change.item) for change in plan.changes]

    def due_in(self, key: str) -> Left | float | None:
        """Seconds until an alert's escalation goes on."""
        due = self.client.zscore(self.keys.escalations_due, self.uid(key))
        return due if due in (None, math.inf) else Left((due - self.runtime.clock.now_ms()) / 1000, self.began)

    def steps(self) -> int:
        """Take the steps of escalations that are due."""
        taken: Any = self.runtime.escalations.service.advance().taken
        self.work()
        return int(taken)
