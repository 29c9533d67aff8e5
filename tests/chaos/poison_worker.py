"""A worker of group `alert` with one task more: `alerts.try_out` is like `alerts.submit`, but poisonous alerts kill its process.

python -m tests.chaos.poison_worker CONCURRENCY [POOL]
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from celery import shared_task

from config.settings import load
from tasks.carriers import AlertTask
from workers.cli.celery_processes import run_worker

WORK = 0.3  # seconds an alert takes, so that several are in hand at once


@shared_task(bind=True, name="alerts.try_out", base=AlertTask)
def try_out(self: AlertTask, alerts: list[dict[str, Any]]) -> None:
    """Accept alerts; whoever takes a poisonous one dies of it."""
    time.sleep(60 if alerts[0]["dedup_key"].startswith("hang") else WORK)
    if any(alert["dedup_key"].startswith("poison") for alert in alerts):
        os.kill(os.getpid(), signal.SIGKILL)
    self.runtime.client.rpush("runs", alerts[0]["dedup_key"])
    self.runtime.alerts.submit(self.request.id, alerts)


if __name__ == "__main__":
    run_worker(load(), "alert", concurrency=int(sys.argv[1]), pool=sys.argv[2] if len(sys.argv) > 2 else None)
