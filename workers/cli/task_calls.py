"""Sending tasks, and what became of them."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import typer

from workers.cli.connection import reach_redis
from workers.cli.output import CliError, ExitCode, answer, answer_fields, answer_json
from workers.cli.progress import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celery.result import AsyncResult

    from config.models import Settings

_PENDING = "PENDING"
_FAILURES = ("FAILURE", "REVOKED")
_PROGRESS = "PROGRESS"


class Outcome(NamedTuple):
    """The state of one task and, once there is one, its answer or its error."""

    task_id: str
    state: str
    result: Any = None
    error: str | None = None

    def print(self, *, as_json: bool) -> None:
        """Print it, and end with exit code 1 when the task failed."""
        if as_json:
            answer_json(self._asdict())
        elif self.state == "SUCCESS":
            self._print_result()
        else:
            answer_fields(
                {"state": self.state.lower(), "error": self.error, "note": self._note(), "done": self._done()}
            )
        if self.state in _FAILURES:
            raise typer.Exit(ExitCode.FAILED)

    def _print_result(self) -> None:
        if isinstance(self.result, str):
            answer(self.result)
        else:
            answer_json(self.result)

    def _done(self) -> str | None:
        from tasks.utils.progress import Progress

        return str(Progress(**self.result)) if self.state == _PROGRESS else None

    def _note(self) -> str | None:
        if self.state != _PENDING:
            return None
        return "not begun, or unknown: only tasks sent from the shell or the API are remembered, for a day"


def send(
    name: str, arguments: Mapping[str, Any], task_id: str | None = None, headers: Mapping[str, Any] | None = None
) -> str:
    """Put the task on its queue and return its id, the given one if any; its result will be kept for a day.

    A destructive one is authorised first, and its message carries the grant.
    """
    task_id = task_id or str(uuid4())
    granted = _grant(name, arguments, task_id, reach_redis())
    headers = {**(headers or {}), **granted}
    from workers.app import app

    # A KeyboardInterrupt may be raised inside a finalizer, which swallows it: the wait would go on as if nothing had been said.
    signal.signal(signal.SIGINT, lambda *_: os._exit(ExitCode.INTERRUPTED))
    return str(app.send_task(name, kwargs=dict(arguments), task_id=task_id, headers=headers, ignore_result=False).id)


def _grant(name: str, arguments: Mapping[str, Any], task_id: str, settings: Settings) -> dict[str, str]:
    from workers.cli.authority import grant_headers, is_guarded
    from workers.cli.task_catalogue import find

    return grant_headers(find(name), arguments, task_id) if is_guarded(settings) else {}


def look_up(task_id: str) -> Outcome:
    """What is known of the task now."""
    reach_redis()
    from workers.app import app

    return _outcome(app.AsyncResult(task_id))


def wait_for(task_id: str, *, timeout_seconds: float) -> Outcome:
    """The task's outcome once it has one, a bar showing how far it is; CliError (75) when that takes longer than `timeout_seconds`."""
    from celery.exceptions import TimeoutError as TooLateError

    from workers.app import app

    result = app.AsyncResult(task_id)
    try:
        with watched() as draw:
            result.get(timeout=timeout_seconds, propagate=False, on_message=lambda news: _draw(news, draw))
    except TooLateError as error:
        message = (
            f"No answer within {timeout_seconds:g} s: the task waits or is at work.\n"
            f"Ask again: tocsin task status {task_id}"
        )
        raise CliError(message, ExitCode.TRY_LATER) from error
    return _outcome(result)


def _draw(news: Mapping[str, Any], draw: Callable[[Any], None]) -> None:
    """Show what the result's channel tells of a task that is at work."""
    from tasks.utils.progress import Progress

    if news["status"] == _PROGRESS:
        draw(Progress(**news["result"]))


def _outcome(result: AsyncResult) -> Outcome:
    state = str(result.state)
    if state in _FAILURES:
        return Outcome(result.id, state, error=f"{type(result.result).__name__}: {result.result}")
    return Outcome(result.id, state, result=result.result)
