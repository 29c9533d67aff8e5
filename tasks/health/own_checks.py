"""The checks of server, fleet, queues and this machine as the settings have them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from config.environment import names_of, secret_files
from config.values import mask_redis_url
from tasks.health.checks.amiss import amiss_lines
from tasks.health.checks.delivery import breaker_lines, dead_line, spool_line
from tasks.health.checks.disk import disk_lines
from tasks.health.checks.fleet import Roll, process_lines, worker_lines
from tasks.health.checks.queues import queue_lines, row_lines
from tasks.health.checks.secrets import certificate_lines, key_lines
from tasks.health.checks.server import ServerCheck, ServerRules
from tasks.health.facts import read_facts
from tasks.health.waiting import WaitingReader
from tasks.utils.breakers import Breakers
from tasks.utils.clock import Clock
from tasks.utils.health_monitor import Check, Line
from tasks.utils.presence import Presence
from tasks.utils.rows import milliseconds
from tasks.utils.spool import SPOOL_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.models import Settings
    from tasks.health.conditions import Limits
    from tasks.utils.keys import Keys

AGED: Final = {
    name: f"tokens.{kind}"
    for kind, path in {
        "webhook": ("pagerduty", "webhook_secret"),
        "api": ("pagerduty", "api_key"),
        "oauth": ("pagerduty", "oauth", "client_secret"),
        "encryption": ("security", "encryption_key"),
        "jwt": ("security", "jwt_secret"),
    }.items()
    for name in names_of(path)
}
"""The lines that know how old the keys of a setting are: those of the inventory of keys."""
SERVER: Final = 6.0  # seconds: two tries to connect, and an answer


@dataclass(frozen=True)
class OwnChecks:
    """`expected`: what must have run by the first moment if the fleet began at the second, entry -> slots of which one must be claimed."""

    settings: Settings
    client: Any
    keys: Keys
    limits: Limits
    names: Mapping[str, str]
    expected: Callable[[datetime, datetime], Mapping[str, Any]]

    def all(self) -> list[Check]:
        """The checks, in the order in which people read them."""
        return [
            Check("config", self._config, 2.0, is_quick=True),
            Check("server", ServerCheck(self.client, self.keys, self._server_rules()), SERVER, is_quick=True),
            Check("workers", self._workers, SERVER, is_quick=True),
            Check("queues", self._queues, SERVER, is_quick=True),
            Check("delivery", self._amiss, SERVER, is_quick=True),
            Check("breakers", self._breakers, SERVER, is_quick=True),
            Check("spool", self._spool, 5.0, is_quick=True),
            Check("disk", self._disk, 10.0, is_quick=True),
            Check("keys", self._secrets, 5.0, is_quick=True),
        ]

    def _config(self) -> list[Line]:
        settings = self.settings
        value = f"{settings.environment}, {len(settings.services)} services, folder {settings.config_dir}"
        return [Line("config.files", "ok", value, "no problems")]

    def _server_rules(self) -> ServerRules:
        settings = self.settings
        return ServerRules(
            name=mask_redis_url(settings.redis.url.get_secret_value()),
            is_production=settings.environment == "production",
            memory_percent=settings.own_alerts.memory_percent,
            skew_ms=milliseconds(settings.health.clock_skew),
        )

    def _now(self) -> int:
        return Clock(self.client, self.keys).now_ms()

    def _workers(self) -> list[Line]:
        deaf_after = milliseconds(self.settings.watchdog.deaf_after)
        seen = Presence(
            self.client, self.keys
        ).all()  # before the clock is read: nobody has shown himself later than now
        roll = Roll(self._now(), seen, deaf_after)
        return [*worker_lines(roll), *process_lines(roll, watches=self.settings.own_alerts.enabled)]

    def _queues(self) -> list[Line]:
        rules = self.settings.health
        waiting = WaitingReader(self.client, self.keys).read(self._now())
        lines = queue_lines(waiting, most=rules.queue_depth, age_ms=milliseconds(rules.queue_age))
        return [*lines, *row_lines(waiting), dead_line(waiting.dead)]

    def _amiss(self) -> list[Line]:
        now = self._now()
        began = int(self.client.get(self.keys.epoch) or now)
        expected = self.expected(_moment(now), _moment(began))
        return list(amiss_lines(read_facts(self.client, self.keys, now, expected), self.limits))

    def _breakers(self) -> list[Line]:
        return breaker_lines(Breakers(self.client, self.keys).list(), lambda name: self.names.get(name) or name)

    def _spool(self) -> list[Line]:
        settings = self.settings
        folder = settings.state_dir / SPOOL_FOLDER
        return [spool_line(folder, settings.spool.max_bytes, settings.own_alerts.spool_percent)]

    def _disk(self) -> list[Line]:
        return list(disk_lines(self.settings.state_dir, self.settings.health.disk_free))

    def _secrets(self) -> list[Line]:
        rules, now, redis = self.settings.health, datetime.now(UTC), self.settings.redis
        named = {
            "gateway": self.settings.gateway.tls_cert_file,
            "redis": redis.tls_cert_file,
            "redis_ca": redis.tls_ca_file,
        }
        certificates = {name: path for name, path in named.items() if path is not None}
        lines = [*certificate_lines(certificates, rules.expires_within, now)]
        lines += key_lines(secret_files(os.environ), rules.key_age, now, AGED)
        return lines or [
            Line("keys.files", "skip", "no certificate, and no secret in a file (NAME_FILE): their ages are not known")
        ]


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
