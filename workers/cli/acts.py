"""Every command that acts is on record: who ran it from where, on what, and what came of it. What only looks is not."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import typer

from workers.cli.output import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer._click import Command

    from tasks.utils.acts import Outcome
    from tasks.utils.audit_logger import AuditLogger

# Last words of commands that only look. What is not named here or below is on record: better once too often.
LOOKING: Final = frozenset({
    "check", "dead-letters", "describe", "diff", "docs", "encrypt", "explain", "groups", "history", "keygen", "keys", "limits",
    "list", "log", "ls", "mappings", "open", "own", "plan", "preview", "prove", "receipts", "revocations", "schema", "show",
    "simulate", "status", "top", "trail", "try", "validate", "verify",
})  # fmt: skip
# Processes that run until they are stopped; what they do is on record by itself. And what beat has done every minute anyway.
UNRECORDED: Final = frozenset({
    "up", "demo", "worker", "beat", "sentinel", "gateway", "flower", "sandbox", "health", "audit seal", "audit collect",
    "incidents actions", "recover",  # by itself, once the record is back
})  # fmt: skip
# Commands that act although their last word says otherwise, and acts that have another name than their command.
ACTIONS: Final = {
    "webhooks check": "webhooks.check",
    "alerts silence add": "silences.create",
    "alerts silence expire": "silences.expire",
    "incidents ack": "incidents.acknowledge",
    "logs cleanup": "logs.clean_up",
    "notifications breakers force": "breakers.force",
    "notifications breakers release": "breakers.release",
}
ONLY_LOOKS: Final = ("dry_run", "validate", "preview")  # flags with which a command changes nothing


def action_of(path: str) -> str | None:
    """What the command of this path does, as acts are called; None where it is not on record."""
    if path in ACTIONS:
        return ACTIONS[path]
    words = path.split()
    return None if path in UNRECORDED or words[-1] in LOOKING else ".".join(words).replace("-", "_")


def witnessed(command: Command, path: str) -> Command:
    """The command, or group of commands, with every one that acts put on record when it is run."""
    for name, below in getattr(command, "commands", {}).items():
        witnessed(below, f"{path} {name}")
    action = action_of(path)
    if action is not None and command.callback is not None and not hasattr(command, "commands"):
        command.callback = _on_record(command.callback, path, action)
    return command


def _on_record(callback: Callable[..., Any], path: str, action: str) -> Callable[..., Any]:
    @wraps(callback)
    def run(**given: Any) -> Any:
        door = None if any(given.get(flag) for flag in ONLY_LOOKS) else _door()
        return callback(**given) if door is None else _run(door, path, action, lambda: callback(**given), given)

    return run


def _run(door: AuditLogger, path: str, action: str, call: Callable[[], Any], given: dict[str, Any]) -> Any:
    from tasks.utils.act_context import within
    from tasks.utils.act_fields import detail_of, object_of
    from tasks.utils.audit_logger import Act

    about = object_of(action.partition(".")[0], given)
    begun = door.begin(Act(action, about, detail={**detail_of(given), "command": path}))
    outcome: Outcome = "failed"
    try:
        with within(begun):
            answer = call()
        outcome = "ok"
    except BaseException as error:
        outcome = _outcome_of(error)
        if outcome != "ok":
            begun.detail["error"] = type(error).__name__
        raise
    else:
        return answer
    finally:
        door.end(action, begun, outcome)
        door.close()


def _outcome_of(error: BaseException) -> Outcome:
    from tasks.utils.error_handler import DeniedError

    if isinstance(error, DeniedError):
        return "denied"
    code = getattr(error, "exit_code" if isinstance(error, typer.Exit) else "code", ExitCode.FAILED)
    if code == ExitCode.OK and isinstance(error, typer.Exit):
        return "ok"
    is_denied = code == ExitCode.NEEDS_CONFIRMATION or isinstance(error, _denied())
    return "denied" if is_denied else "failed"


def _denied() -> type[Exception]:
    from tasks.utils.error_handler import DeniedError

    return DeniedError


def _door() -> AuditLogger | None:
    """Where acts go; None where the configuration cannot be read: then the command itself says so and does nothing."""
    from config.errors import ConfigError
    from tasks.utils.audit_logger import FOLDER, AuditLogger
    from tasks.utils.connect import connect
    from tasks.utils.keys import Keys
    from workers.cli.connection import current_settings

    try:
        settings = current_settings()
    except ConfigError:
        return None
    client = connect(
        settings.redis.url.get_secret_value(),
        socket_timeout=settings.redis.socket_timeout.total_seconds(),
        connect_timeout=settings.redis.connect_timeout.total_seconds(),
    )
    return AuditLogger(client, Keys(settings.redis.prefix), settings.state_dir / FOLDER)
