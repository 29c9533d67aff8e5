"""Timers as most teams have them: a Celery message with a countdown, which waits in a worker's memory."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any, Final

from celery import Celery

from tasks.utils.connect import connect

LATE: Final = "plain:late"

app = Celery("plain_timers", broker=os.environ.get("REDIS_URL"))
app.conf.update(task_acks_late=True, task_ignore_result=True, worker_hijack_root_logger=False)
app.conf.broker_transport_options = {"global_keyprefix": "plain:"}


@cache
def _client(pid: int) -> Any:
    del pid
    return connect(os.environ["REDIS_URL"])


@app.task(name="plain.fire")
def fire(due: float) -> None:
    """Note how late it is, in milliseconds."""
    _client(os.getpid()).rpush(LATE, (time.time() - due) * 1000)
