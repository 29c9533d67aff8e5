"""Backups as the settings have them: a part of the wiring beside `runtime`."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import redis
from pydantic import SecretStr

from config.errors import ConfigError
from config.pagerduty import OAuth
from config.settings import load
from tasks.backups.candidates import RecoveryNote
from tasks.backups.drill import DrillService, Stage
from tasks.backups.local_folder import LocalFolder
from tasks.backups.repository import Repository
from tasks.backups.restoration import RestoreService
from tasks.backups.retention import Keep
from tasks.backups.sandbox_process import sandbox
from tasks.backups.service import BackupRules, BackupService
from tasks.backups.snapshotting import Origin
from tasks.backups.standing import BackupStanding
from tasks.backups.state.alerts import OpenAlerts
from tasks.backups.state.environment import Environment
from tasks.backups.state.files_restorer import FilesRestorer
from tasks.backups.state.parts import DeadLetters, Silences
from tasks.backups.state.restorer import StateRestorer
from tasks.backups.state.sources import ConfigSource, StateSource, config_folder, state_folder
from tasks.utils.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from config.models import Settings
    from tasks.backups.items import Source
    from tasks.backups.restoring import Restorer
    from tasks.backups.state.parts import Part
    from tasks.runtime import Runtime
    from tasks.utils.rest.client import RestClient

PATIENCE: Final = timedelta(minutes=5)
NO_KEY: Final = "the PagerDuty account is not in it: set PAGERDUTY_API_KEY"
UNLIMITED: Final = 1_000_000
TOKEN: Final = "tocsinbackupsdrill00"  # noqa: S105 (of a sandbox, which takes any)


class BackupWiring:
    """What is done with backups, each made when it is asked for."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._settings = runtime.settings

    @cached_property
    def repository(self) -> Repository:
        """The repository of the settings."""
        return Repository(LocalFolder(self._folder), self._runtime.security)

    @property
    def _folder(self) -> Path:
        return self._settings.backups.folder or self._settings.state_dir / "backups"

    @cached_property
    def standing(self) -> BackupStanding:
        """What the last runs have found."""
        return BackupStanding(self._runtime.client, self._runtime.keys)

    @cached_property
    def service(self) -> BackupService:
        """Creates, lists, verifies, prunes."""
        settings, keep = self._settings, self._settings.backups.keep
        can_ask = settings.pagerduty.can_be_asked
        sources: dict[str, Callable[[], Source]] = {"state": self._state_source, "config": self._config_source}
        rules = BackupRules(
            origin=Origin(settings.environment, socket.gethostname(), version("tocsin")),
            keep=Keep(keep.last, keep.hourly, keep.daily, keep.weekly, keep.monthly),
            keys=tuple(settings.security.key_texts),
            absent={} if can_ask else {"account": NO_KEY},
        )
        if can_ask:
            sources["account"] = self._account_source
        return BackupService(self.repository, sources, rules, self.standing, self._runtime.flights.alone, self._now)

    def _now(self) -> datetime:
        """The fleet's time, or this machine's while Redis is away."""
        try:
            return self._runtime.clock.now()
        except redis.RedisError:
            return datetime.now(UTC)

    def _account_source(self) -> Source:
        from tasks.backups.account.reader import AccountReader  # noqa: PLC0415 (only where PagerDuty is asked)

        return AccountReader(self._rest())

    def _rest(self) -> RestClient:
        return self._runtime.rest.limited(share=self._settings.backups.share, patience=PATIENCE)

    def _state_source(self) -> Source:
        parts = state_parts(self._runtime.client, self._runtime.keys)
        return StateSource(parts, state_folder(self._settings.state_dir, self._never()))

    def _never(self) -> list[str]:
        """The repository itself, where it lies in the state folder."""
        if not self._folder.is_relative_to(self._settings.state_dir):
            return []
        return [f"{self._folder.relative_to(self._settings.state_dir).as_posix()}/*"]

    def _config_source(self) -> Source:
        return ConfigSource(config_folder(self._settings.config_dir))

    @cached_property
    def restores(self) -> RestoreService:
        """Plans and does restores."""
        restorers: dict[str, Callable[[str], Restorer]] = {
            "config": lambda origin: FilesRestorer(self._settings.config_dir, self._scratch / f"replaced-{origin}"),
            "state": self._state_restorer,
        }
        if self._settings.pagerduty.can_be_asked:
            restorers["account"] = lambda _: account_restorer(self._rest())
        flights = self._runtime.flights.alone
        return RestoreService(self.repository, restorers, self._scratch, self.standing, flights)

    def restores_into(self, folder: Path) -> RestoreService:
        """Puts the configuration and the files of the state into a folder of their own, and asks no server for anything."""
        files: dict[str, Callable[[str], Restorer]] = {
            part: partial(self._files_restorer, folder / part) for part in ("config", "state")
        }
        return RestoreService(self.repository, files, folder / ".journals", self.standing, lambda _: nullcontext())

    @cached_property
    def restores_here(self) -> RestoreService:
        """Puts the files of configuration and state where the settings have them, and asks no server for anything."""
        files: dict[str, Callable[[str], Restorer]] = {
            "config": lambda origin: FilesRestorer(self._settings.config_dir, self._scratch / f"replaced-{origin}"),
            "state": partial(self._files_restorer, self._settings.state_dir),
        }
        return RestoreService(self.repository, files, self._scratch, self.standing, lambda _: nullcontext())

    @cached_property
    def recovery_note(self) -> RecoveryNote:
        """Which backups a recovery that was broken off had chosen."""
        return RecoveryNote(self._scratch / "recovery.json")

    @staticmethod
    def _files_restorer(folder: Path, _: str) -> Restorer:
        return FilesRestorer(folder, None)

    @property
    def _scratch(self) -> Path:
        return self._settings.state_dir / "restore"

    def _state_restorer(self, origin: str) -> Restorer:
        parts = state_parts(self._runtime.client, self._runtime.keys)
        return StateRestorer(parts, FilesRestorer(self._settings.state_dir, None), origin)

    @cached_property
    def drills(self) -> DrillService:
        """Rehearses restores."""
        return DrillService(self.repository, self._stage, self.standing, self._runtime.flights.alone, self._now)

    @contextmanager
    def _stage(self) -> Iterator[Stage]:
        """An empty sandbox, empty folders, and a corner of Redis that nobody else looks at."""
        settings, keys = self._settings, Keys(f"{self._runtime.keys.prefix}drill:")
        folder = self._scratch / "drill"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "config").mkdir(parents=True, mode=0o700)
        _clear(self._runtime.client, keys.prefix)
        try:
            with self._stand_in(keys) if settings.pagerduty.can_be_asked else nullcontext() as rest:
                restorers = self._stage_restorers(folder, keys, rest)
                yield Stage(restorers, folder, partial(_config_faults, folder / "config"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _clear(self._runtime.client, keys.prefix)

    @contextmanager
    def _stand_in(self, keys: Keys) -> Iterator[RestClient]:
        with sandbox() as url, sandbox_rest(self._settings, self._runtime.client, keys, url) as rest:
            yield rest

    def _stage_restorers(
        self, folder: Path, keys: Keys, rest: RestClient | None
    ) -> dict[str, Callable[[str], Restorer]]:
        parts = state_parts(self._runtime.client, keys)
        restorers: dict[str, Callable[[str], Restorer]] = {
            "config": lambda _: FilesRestorer(folder / "config", None),
            "state": lambda origin: StateRestorer(parts, FilesRestorer(folder / "state", None), origin),
        }
        if rest is not None:
            restorers["account"] = lambda _: account_restorer(rest)
        return restorers


def state_parts(client: Any, keys: Keys) -> list[Part]:
    """The parts of the state in Redis, in the order in which they are put back."""
    return [Silences(client, keys), OpenAlerts(client, keys), DeadLetters(client, keys), Environment(os.environ)]


def account_restorer(rest: RestClient) -> Restorer:
    """Brings an account's items back over this client."""
    from tasks.backups.account.restorer import AccountRestorer  # noqa: PLC0415 (only where PagerDuty is asked)

    return AccountRestorer(rest)


def sandbox_rest(settings: Settings, client: Any, keys: Keys, url: str) -> RestClient:
    """A client of a sandbox that throttles nothing; its breaker and counters are apart from those of PagerDuty."""
    from tasks.utils.rest.wiring import rest_client  # noqa: PLC0415 (only where PagerDuty is asked)

    asked = settings.pagerduty.model_copy(
        update={"api_url": url, "api_key": SecretStr(TOKEN), "oauth": OAuth(), "from_email": "drill@example.com"}
    )
    limits = settings.limits.model_copy(update={"rest_calls_per_minute": UNLIMITED})
    alike = settings.model_copy(update={"pagerduty": asked, "limits": limits})
    return rest_client(alike, client, keys, lambda: alike)


def _config_faults(folder: Path) -> list[str]:
    """What keeps restored files from being a configuration; nothing where the backup has none."""
    if not any(folder.iterdir()):
        return []
    try:
        load(config_dir=folder)
    except ConfigError as error:
        return [f"config: {problem}".replace(f"{folder}/", "") for problem in error.problems]
    return []


def _clear(client: Any, prefix: str) -> None:
    for key in client.scan_iter(match=f"{prefix}*", count=1000):
        client.unlink(key)
