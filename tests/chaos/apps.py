"""A worker application for fetch tests, told by its environment what to be like. No part of Tocsin's pipeline."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import redis
from celery import Celery, bootsteps
from kombu import Queue
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from workers.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Mapping

QUEUES = os.environ.get("T_QUEUES", "alert").split(",")

BROKER = os.environ.get("T_BROKER", "redis://")

app = Celery("fetch-tests", broker=BROKER, backend=BROKER)
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_queues=[Queue(name, routing_key=name) for name in QUEUES],
    task_default_queue=QUEUES[0],
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    task_acks_on_failure=True,
    task_retry_on_worker_lost=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_consumer="workers.consumer:ResilientConsumer",
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_channel_error_retry=True,
    tocsin_reliable_fetch=os.environ.get("T_FETCH", "reliable") == "reliable",
    tocsin_watchdog_seconds=float(os.environ.get("T_WATCHDOG", "0")),
    broker_transport_options={
        "global_keyprefix": "t:",
        "visibility_timeout": float(os.environ.get("T_VISIBILITY", "4")),
        "inflight_timeout": float(os.environ.get("T_INFLIGHT", "2")),
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        "priority_steps": [0],
    },
)
app.steps["worker"].add(Watchdog)

local = threading.local()


def results() -> redis.Redis:
    """One client per thread and process; never the broker's own connections."""
    if getattr(local, "pid", None) != os.getpid():
        # A task outlives the server's restarts: what is tested is the way of its message.
        patience = Retry(ConstantBackoff(0.2), 100)
        local.client = redis.Redis.from_url(BROKER, socket_timeout=5, retry=patience)
        local.pid = os.getpid()
    client: redis.Redis = local.client
    return client


def dead_letter(raw_body: bytes | str, reason: str, headers: Mapping[str, Any]) -> None:
    """Keep what could not be taken as a task where the test finds it."""
    del headers
    if os.environ.get("T_GRAVE") == "closed":
        raise RuntimeError("no dead letters today")
    body = raw_body.encode() if isinstance(raw_body, str) else raw_body
    results().rpush("dead", reason.encode() + b"|" + body)


app.dead_letter = dead_letter


@app.task(name="t.count")
def count(number: int) -> None:
    """Say that `number` was done."""
    results().hincrby("done", str(number), 1)


@app.task(name="t.noop")
def noop() -> None:
    """Do nothing, as fast as may be."""


@app.task(name="t.rest")
def rest(seconds: float) -> None:
    """Keep a slot."""
    results().incr("resting")
    time.sleep(seconds)
    results().incr("rested")


class Deafener(bootsteps.StartStopStep):
    """Does what a reconnect gone wrong does: the event loop no longer asks the transport for anything."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def include_if(self, _: Any) -> bool:
        return bool(os.environ.get("T_DEAFENED"))

    def start(self, c: Any) -> None:
        c.hub.call_later(0, self.deafen, c)

    def deafen(self, c: Any) -> None:
        """Take the consumer's sockets out of the loop, and leave everything else alive."""
        c.hub.on_tick.clear()
        for fd in list(c.connection.transport.cycle.fds):
            c.hub.remove(fd)
        print("deafened", flush=True)


app.steps["consumer"].add(Deafener)
