"""Celery's worker and beat, run inside this process."""

import os
import socket
import warnings
from typing import Any

import structlog
from celery.signals import beat_init, worker_ready, worker_shutting_down

from config.models import Settings
from workers.app import make_app
from workers.cli.output import ExitCode
from workers.queues import GROUPS

log = structlog.get_logger("tocsin.process")  # `tocsin up` waits for these events


def run_worker(settings: Settings, group: str, *, pool: str | None, concurrency: int | None) -> int:
    """Work for one group until told to stop; the exit code."""
    # Celery warns root of pickle, which is off; in a container everybody is root
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    queues = list(GROUPS[group])
    stops: list[str] = []
    _when(worker_ready, lambda **_: log.info("worker_ready", group=group, queues=queues))
    _when(worker_shutting_down, lambda how, **_: stops.append(how))
    worker = make_app(settings, group=group).Worker(
        hostname=f"{group}@{socket.gethostname()}-{os.getpid()}",
        queues=queues,
        pool_cls=pool,
        concurrency=concurrency,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    # Celery has just asked for all of its own warnings; its plans are no news to an operator
    warnings.filterwarnings("ignore", category=PendingDeprecationWarning)
    worker.start()
    # to end well when told to is success, whereas Celery calls one Ctrl-C a failure
    return ExitCode.OK if stops == ["Warm"] else int(worker.exitcode or ExitCode.OK)


def run_beat(settings: Settings) -> None:
    """Send what is due until told to stop."""
    _when(beat_init, lambda **_: log.info("beat_ready"))
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    make_app(settings, role="beat").Beat(quiet=True).run()


def _when(signal: Any, receiver: Any) -> None:
    signal.connect(receiver, weak=False)
