"""Alerts as a person gives them, by file or by flags, made ready for `alerts.submit`."""

import json
import socket
import sys
from pathlib import Path
from typing import Any, NamedTuple

from workers.cli.connection import current_settings
from workers.cli.output import CliError, ExitCode
from workers.cli.task_names import did_you_mean


class Flags(NamedTuple):
    """What was said by flags; `summary` None and `dedup_key` None mean nothing was."""

    summary: str | None
    severity: str
    source: str | None
    dedup_key: str | None
    action: str

    @property
    def say_anything(self) -> bool:
        """Whether the flags describe an alert."""
        return self.summary is not None or self.dedup_key is not None


def from_flags(flags: Flags) -> list[Any]:
    """The one alert that the flags describe."""
    if not flags.say_anything:
        raise CliError("Give a FILE (- for stdin), or --summary, or --dedup-key with --action.", ExitCode.USAGE)
    alert: dict[str, Any] = {"event_action": flags.action}
    if flags.dedup_key is not None:
        alert["dedup_key"] = flags.dedup_key
    if flags.summary is not None:
        source = flags.source or socket.gethostname()
        severity = {} if flags.action == "change" else {"severity": flags.severity}
        alert["payload"] = {"summary": flags.summary, "source": source, **severity}
    return [alert]


def from_file(name: str, flags: Flags) -> list[Any]:
    """The alerts in a file: one JSON object, a JSON list, or one JSON object a line."""
    if flags.say_anything:
        raise CliError("Give either a FILE or --summary and --dedup-key, not both.", ExitCode.USAGE)
    text = _read(name)
    try:
        document = json.loads(text)
    except ValueError as error:
        return _lines(name, text, error)
    return document if isinstance(document, list) else [document]


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
    except OSError as error:
        raise CliError(f"Cannot read {name}: {error.strerror}", ExitCode.USAGE) from error
    except UnicodeDecodeError as error:
        raise CliError(f"{name} is not UTF-8 text", ExitCode.USAGE) from error


def _lines(name: str, text: str, whole: ValueError) -> list[Any]:
    try:
        alerts = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        alerts = []
    if not alerts:
        raise CliError(f"{name} is not JSON: {whole}", ExitCode.USAGE) from whole
    return alerts


def checked(alerts: list[Any], service: str | None) -> tuple[list[dict[str, Any]], list[str]]:
    """The alerts fit to be sent, and a note for each slip the workers will mend; CliError lists every fault of each."""
    from tasks.utils.error_handler import InvalidAlertError
    from tasks.utils.validators import ADAPTATIONS, check_alert

    services = current_settings().services
    ready, problems, notes = [], [], []
    for number, raw in enumerate(alerts, start=1):
        where = f"alert {number}: " if len(alerts) > 1 else ""
        try:
            alert = routed(raw, service, services)
            notes += [f"{where}{ADAPTATIONS[name]}" for name in check_alert(alert).adaptations]
            ready.append(alert)
        except InvalidAlertError as error:
            problems += [f"{where}{problem}" for problem in error.errors]
    if problems:
        raise InvalidAlertError(problems)
    return ready, notes


def routed(raw: Any, service: str | None, services: Any) -> Any:
    """The alert with its service named and its routing key taken out: messages carry no keys."""
    from tasks.utils.error_handler import InvalidAlertError

    if not isinstance(raw, dict):
        return raw
    alert = dict(raw)
    key = alert.pop("routing_key", None)
    name = service or alert.get("service") or (_owner(key, services) if key is not None else None)
    if name is None:
        return alert
    if services and isinstance(name, str) and name not in services:
        known = f"known: {', '.join(sorted(services))}."
        raise InvalidAlertError([f"service {name!r} is not configured; {known}{did_you_mean(name, list(services))}"])
    return alert | {"service": name}


def _owner(key: object, services: Any) -> str:
    from tasks.utils.error_handler import InvalidAlertError

    for name, service in services.items():
        if any(key == known.get_secret_value() for known in service.ingest_keys):
            return str(name)
    raise InvalidAlertError(["its routing_key is no service's ingest key; name the service with --service"])
