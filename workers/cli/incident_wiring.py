"""What incident commands work with: the fleet's wiring, or where Redis is away, PagerDuty alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import redis

from tasks.runtime import Runtime
from workers.cli.connection import current_settings, reach_redis
from workers.cli.output import say
from workers.logs import configure_logging

if TYPE_CHECKING:
    from tasks.incidents.service import IncidentService
    from tasks.utils.rest.client import RestClient


@dataclass(frozen=True)
class Desk:
    """Where somebody works on incidents."""

    runtime: Runtime
    is_loose: bool

    @cached_property
    def service(self) -> IncidentService:
        """Does things to incidents."""
        from tasks.incidents.wiring import loose_service

        return loose_service(self.runtime.settings, self.rest) if self.is_loose else self.runtime.incidents.service

    @property
    def rest(self) -> RestClient:
        """Talks to PagerDuty."""
        return self.runtime.rest


def desk(*, needs_redis: bool = False) -> Desk:
    """The desk. Whoever is on call can act on incidents while Redis is away; then nothing is written down here."""
    try:
        settings = reach_redis()
    except (redis.ConnectionError, redis.TimeoutError):
        if needs_redis:
            raise
        configure_logging("CRITICAL")
        say("Redis is away: this goes to PagerDuty alone, and is not kept in Tocsin's own record.")
        return Desk(Runtime(current_settings()), is_loose=True)
    configure_logging("ERROR")
    return Desk(Runtime(settings), is_loose=False)
