"""Lets a destructive task run in production, or on its Redis, only with a grant: write access to the broker is no leave to destroy."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tasks.tokens.grants import HEADER, Call
from tasks.utils.act_context import underway
from tasks.utils.connect import is_away
from tasks.utils.error_handler import DeniedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tasks.base import TocsinTask
    from tasks.utils.actor import Actor


@contextmanager
def granted(task: TocsinTask, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[None]:
    """Run what stands within as whoever holds the message's grant, where one is needed; DeniedError where it is not good.

    The grant is used up when the task ends, well or not; not when its message goes back, because the server is away.
    """
    act = task.needs_authority(args, kwargs)
    if act is None or task.request.called_directly or not task.runtime.guard.is_on():
        yield
        return
    grants = task.runtime.grants
    grant_id, actor = _begun(task, act, Call(task.name, task.request.id, args, kwargs))
    around = underway()
    if around is not None:
        around.actor = actor
    try:
        yield
    except Exception as error:
        if not task.goes_back(error) and not is_away(error):
            grants.end(grant_id)
        raise
    grants.end(grant_id)


def _begun(task: TocsinTask, act: str, call: Call) -> tuple[str, Actor]:
    """See `Grants.begin`; outside production a refusal says why there is one."""
    try:
        return task.runtime.grants.begin(getattr(task.request, HEADER, None), act, call)
    except DeniedError as error:
        if task.runtime.settings.guards_acts:
            raise
        raise DeniedError(f"{error}; {task.runtime.guard.why}") from None
