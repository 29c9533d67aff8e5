"""What is looked at to say how Tocsin is, put together of what several capabilities know: a part of the wiring beside `runtime`.

The one table of checks. A capability adds a line to `checks_of`; what it needs is made when the check runs, not before.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import redis

from config.channels import PagerDutyChannel
from tasks.backups.lines import backup_lines, moment
from tasks.backups.standing import BackupStanding
from tasks.health.checks.canary import CanaryCheck, CanaryRules
from tasks.health.checks.events import Door, EventsCheck, send_test
from tasks.health.checks.rest import RestCheck, RestRules
from tasks.health.examination import About, HealthService
from tasks.health.own_checks import SERVER as OWN
from tasks.health.own_checks import OwnChecks
from tasks.health.wiring import limits_of
from tasks.notifications.direct_wiring import places_of
from tasks.notifications.wiring import address_of, names_of
from tasks.utils.clock import Clock
from tasks.utils.connect import connect
from tasks.utils.health_monitor import Check, Line
from tasks.utils.rows import new_event_id
from tasks.utils.schedule_lines import schedule_lines
from tasks.utils.schedule_states import ScheduleStates

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.models import Settings
    from tasks.runtime import Runtime
    from tasks.utils.rest.credentials import Credentials
    from tasks.utils.rest.line import Line as Connection

OUTSIDE: Final = 20.0  # seconds for PagerDuty's REST API: several calls, each with a bound of its own
ONE_CALL: Final = timedelta(seconds=8)
EVENTS: Final = 12.0
AT_ONCE: Final = 0.7  # seconds for Redis, where it only helps to be considerate
CANARY: Final = 8.0  # beside what the settings allow it


def health_service(runtime: Runtime) -> HealthService:
    """Looks with a connection of its own: time-outs of the usual one may be long."""
    settings = runtime.settings
    client = connect(settings.redis.url.get_secret_value(), socket_timeout=2.0, connect_timeout=2.0)
    about = About(settings.environment, socket.gethostname(), version("tocsin"))
    return HealthService(client, runtime.keys, about, lambda: checks_of(runtime, client))


def checks_of(runtime: Runtime, client: Any) -> list[Check]:
    """Every check, in the order in which people read them."""
    settings = runtime.settings
    limits = limits_of(settings, places_of(settings))
    own = OwnChecks(settings, client, runtime.keys, limits, names_of(runtime.routes), runtime.expected)
    within = settings.health.canary_within.total_seconds()
    return [
        *own.all(),
        Check("schedules", _schedules(runtime, client), OWN, is_quick=True),
        Check("backups", _backups(runtime, client), OWN, is_quick=True),
        Check("tokens", runtime.tokens.lines, OWN, is_quick=True),
        Check("rest", _rest(settings), OUTSIDE),
        Check("former_keys", runtime.tokens.account.former_lines, OUTSIDE),
        Check("events", _events(runtime), EVENTS + 1),
        Check("canary", _canary(runtime, client), within + CANARY),
    ]


def marked_service(settings: Settings) -> str:
    """The service whose people a marked event calls."""
    return settings.health.canary_service or settings.default_service


def marked_event(runtime: Runtime) -> Check:
    """Opens and ends one marked alert: this calls people."""
    settings = runtime.settings

    def run() -> list[Line]:
        service = marked_service(settings)
        door = next((one for one in doors_of(settings) if one.words.startswith(f"{service} via ")), None)
        if door is None:
            return [Line("test.event", "skip", f"service {service} has no channel that sends events to PagerDuty")]
        connection = _connection(settings, door.url)
        try:
            return send_test(connection, door, new_event_id()[:16], socket.gethostname(), ONE_CALL * 2)
        finally:
            connection.close()

    return Check("test", run, OUTSIDE)


def doors_of(settings: Settings) -> list[Door]:
    """Every routing key that is in use, once for each address."""
    found: dict[tuple[str, str], Door] = {}
    for service in settings.services.values():
        for channel in service.channels:
            if isinstance(channel, PagerDutyChannel):
                address = address_of(channel, settings.pagerduty)
                key_id, base = address.current_key_id, address.url.removesuffix("/v2/enqueue")
                words = f"{service.name} via {channel.name}"
                found.setdefault((base, key_id), Door(base, address.key(key_id), words, key_id))
    return list(found.values())


def _schedules(runtime: Runtime, client: Any) -> Callable[[], list[Line]]:
    def run() -> list[Line]:
        states = ScheduleStates(client, runtime.keys, runtime.slot_marks)
        return schedule_lines(states, Clock(client, runtime.keys).now())

    return run


def _backups(runtime: Runtime, client: Any) -> Callable[[], list[Line]]:
    rules = runtime.settings.backups

    def run() -> list[Line]:
        now = Clock(client, runtime.keys).now_ms()
        began = int(client.get(runtime.keys.epoch) or now)
        standing = BackupStanding(client, runtime.keys)
        return backup_lines(standing, rules.max_age, rules.max_unverified, moment(now), moment(began))

    return run


def _rest(settings: Settings) -> Callable[[], list[Line]]:
    pagerduty = settings.pagerduty
    if not pagerduty.can_be_asked:
        return lambda: [Line("rest.answer", "skip", "no key or app for the REST API is set (PAGERDUTY_API_KEY)")]

    def open_line() -> tuple[Connection, Credentials]:
        from config.settings import load  # noqa: PLC0415 (an HTTP client takes long to import)
        from tasks.utils.rest.wiring import credentials_of  # noqa: PLC0415

        # The key may have been replaced in its file since this process was started.
        return _connection(settings, pagerduty.api_url), credentials_of(_as_now(settings), load)

    rules = RestRules(urlsplit(pagerduty.api_url).netloc, pagerduty.oauth.client_id is not None, pagerduty.from_email)
    return RestCheck(open_line, rules)


def _as_now(settings: Settings) -> Settings:
    """The settings, whose REST key is what its file holds by now."""
    from config.settings import load  # noqa: PLC0415 (few processes look)
    from tasks.utils.rest.wiring import key_file  # noqa: PLC0415

    return load() if key_file(os.environ) else settings


def _events(runtime: Runtime) -> Callable[[], list[Line]]:
    settings, keys = runtime.settings, runtime.keys
    limit, url = settings.pagerduty.events_per_minute, settings.redis.url.get_secret_value()

    def busy(door: Door) -> bool:
        try:
            with connect(url, socket_timeout=AT_ONCE, connect_timeout=AT_ONCE) as client:
                return bool(limit) and int(client.zcard(keys.sends(door.key_id))) * 2 > limit
        except redis.RedisError:
            return False  # while nothing can be counted nothing is sent either

    return EventsCheck(doors_of(settings), partial(_connection, settings), busy, EVENTS)


def _canary(runtime: Runtime, client: Any) -> Callable[[], list[Line]]:
    settings = runtime.settings
    rules = CanaryRules(
        settings.health.canary_service, socket.gethostname(), settings.health.canary_within.total_seconds()
    )

    def shown(dedup_key: str) -> str:
        found = runtime.rest.incidents.list(incident_key=dedup_key, date_range="all", sort_by="created_at:desc")
        return next((str(one.get("incident_number") or one["id"]) for one in found), "")

    return CanaryCheck(client, runtime.keys, rules, shown if settings.pagerduty.can_be_asked else None)


def _connection(settings: Settings, url: str) -> Connection:
    from tasks.utils.rest.line import Line as RestLine  # noqa: PLC0415 (an HTTP client takes long to import)

    return RestLine(url, min(ONE_CALL, settings.pagerduty.api_timeout))
