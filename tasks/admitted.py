"""Lets a signed message run once: whoever copies one, or keeps it for later, has gained nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import uuid4

import structlog
from celery.exceptions import Ignore

from tasks.utils.error_reports import outcome
from tasks.utils.task_signatures import Signature

if TYPE_CHECKING:
    from tasks.base import Args, Kwargs, TocsinTask

log = structlog.get_logger("tocsin.task")

NOT_ADMITTED: Final = {  # verdict -> reason, and what it means
    "replayed": ("message_replayed", "a signed message came a second time: somebody has copied it"),
    "old": ("message_too_old", "a signed message waited longer than security.task_window"),
    "early": ("message_too_early", "a signed message is from the future: the clock of its sender is wrong"),
}
SIGNING_MEND: Final = "find out who writes to the queues, and see `Signed task messages` in docs/security.md"


def admit(task: TocsinTask, args: Args, kwargs: Kwargs) -> tuple[str, str] | None:
    """The name of this signed message, and a token for having it now; Ignore where it must not run, as a copy of another.

    That somebody who may has signed it, the worker has seen before (workers/verifying.py).
    """
    signature = Signature.read(task.request.__dict__) if task.runtime.settings.security.sign_tasks else None
    if signature is None:
        return None
    admitted = (signature.nonce, uuid4().hex)
    verdict = task.runtime.admission.verdict(signature.nonce, signature.at, came_back=task.came_back, asked=admitted[1])
    if verdict == "run":
        return admitted
    log.warning("message_not_admitted", verdict=verdict, role=signature.role)
    if verdict in NOT_ADMITTED:
        reason, text = NOT_ADMITTED[verdict]
        task.runtime.errors.note(outcome(reason, task.name, text, severity="error", mend=SIGNING_MEND))
    if verdict in ("old", "early"):
        task.last_words(*NOT_ADMITTED[verdict], args, kwargs)
    raise Ignore
