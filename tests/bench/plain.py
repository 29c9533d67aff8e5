"""What most teams have: one Celery task per alert, one HTTP post per task. Stock settings but for late acks."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import httpx
from celery import Celery

app = Celery("plain", broker=os.environ.get("REDIS_URL"))
app.conf.update(task_acks_late=True, task_ignore_result=True, worker_hijack_root_logger=False)
app.conf.broker_transport_options = {"global_keyprefix": "plain:"}


@cache
def _client(pid: int) -> httpx.Client:
    del pid
    return httpx.Client(timeout=10)


@app.task(name="plain.page")
def page(event: dict[str, Any]) -> None:
    """Post one event."""
    _client(os.getpid()).post(os.environ["BENCH_URL"], json=event).raise_for_status()
