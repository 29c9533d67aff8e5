"""The grants that scheduled tasks act with: schedules have an identity of their own, and may do what `access.schedules` names."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import structlog

from tasks.tokens.grants import HEADER, Call
from tasks.utils.actor import Actor
from tasks.utils.error_handler import DeniedError

if TYPE_CHECKING:
    from collections.abc import Mapping

log = structlog.get_logger("tocsin.beat")


def schedule_headers(
    app: Any, task_name: str, arguments: Mapping[str, Any], task_id: str, entry: str
) -> dict[str, str]:
    """The grant for one scheduled call, where it needs one. Where schedules may not make it, none: the worker then refuses it."""
    task = app.tasks.get(task_name)
    act = task.needs_authority((), arguments) if task is not None else None
    if act is None or not app.runtime.guard.is_on():
        return {}
    try:
        call = Call(task_name, task_id, (), arguments)
        return {HEADER: app.runtime.grants.issue(act, call, Actor("schedule", entry, socket.gethostname()))}
    except DeniedError as error:
        log.warning("schedule_not_allowed", entry=entry, task=task_name, meaning=str(error))
        app.runtime.errors.record(error, f"beat {entry}")
        return {}
