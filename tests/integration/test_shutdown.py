"""SIGTERM: tasks under way may finish within the grace; after it their messages are back in the queue, not lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server

GRACE = 3.0
WORKER = f"""
import os, time
from celery import Celery
from workers.shutdown import BoundedShutdown

app = Celery("shutdown", broker=os.environ["REDIS_URL"])
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    tocsin_shutdown_grace={GRACE},
    worker_soft_shutdown_timeout=0,
    worker_consumer="workers.consumer:ResilientConsumer",
    broker_transport_options={{"visibility_timeout": 600}},
)
app.steps["worker"].add(BoundedShutdown)


@app.task(name="work")
def work(seconds):
    time.sleep(seconds)
"""


@pytest.mark.parametrize(("seconds", "left"), [(0.3, 0), (60, 1)], ids=["ends in time", "takes too long"])
def test_a_stopped_worker_is_gone_in_time_and_loses_no_message(
    server: Server, client: Any, tmp_path: Path, seconds: float, left: int
) -> None:
    (tmp_path / "shutdown_app.py").write_text(WORKER)
    environment = {**os.environ, "REDIS_URL": server.url, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "shutdown_app",
        "worker",
        "-P",
        "prefork",
        "-c",
        "1",
        "-l",
        "ERROR",
    ]
    producer = Celery(broker=server.url)
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    while not producer.control.ping(timeout=0.2):
        assert worker.poll() is None
    producer.send_task("work", [seconds])
    while not client.exists("unacked"):
        time.sleep(0.02)

    started = time.monotonic()
    worker.terminate()
    code = worker.wait(timeout=20)
    producer.close()

    assert code in {0, os.EX_SOFTWARE}
    assert time.monotonic() - started < GRACE + 10
    assert client.llen("celery") + client.hlen("unacked") == left
