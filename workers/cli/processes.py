"""The processes of a running Tocsin, one verb each: worker, beat, sentinel, gateway, Flower."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workers.cli.connection import current_settings, reach_redis
from workers.cli.interrupts import end_at_once
from workers.cli.lazy import new_app
from workers.cli.output import CliError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.models import Settings

Group = Literal["alert", "webhook", "delivery", "maintenance"]
Host = Annotated[str | None, typer.Option(help="Address to listen on, if not the configured one.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on, if not the configured one; 0 takes a free one.")]

worker_app = new_app()
beat_app = new_app()
sentinel_app = new_app()
gateway_app = new_app()
flower_app = new_app()


@worker_app.command()
def worker(
    group: Annotated[Group, typer.Argument(metavar="GROUP", help="alert, webhook, delivery or maintenance.")],
    *,
    concurrency: Annotated[int | None, typer.Option(help="Tasks at once, if not the configured number.", min=1)] = None,
    pool: Annotated[Literal["threads", "prefork"] | None, typer.Option(help="If not the configured one.")] = None,
) -> None:
    """Run the worker of one group until SIGTERM or Ctrl-C; tasks under way are finished first."""
    settings = _begin(reach_redis)
    from workers.cli.celery_processes import run_worker

    raise typer.Exit(run_worker(settings, group, pool=pool, concurrency=concurrency))


@beat_app.command()
def beat() -> None:
    """Run the scheduler. Any number may run: each scheduled run is claimed, so nothing runs twice."""
    settings = _begin(reach_redis)
    from workers.cli.celery_processes import run_beat

    run_beat(settings)


@sentinel_app.command()
def sentinel() -> None:
    """Watch over Tocsin itself and tell what is amiss, also while Redis is away. Any number may run; each thing is told once."""
    settings = _begin(current_settings)
    if not settings.own_alerts.enabled:
        raise CliError("There is nothing to do: own_alerts.enabled is false.", ExitCode.BAD_CONFIG)
    from workers.sentinel import run

    run(settings)


@gateway_app.command()
def gateway(*, host: Host = None, port: Port = None) -> None:
    """Run the HTTP gateway; prints {"url": …} once it listens."""
    settings = _begin(current_settings)
    from workers.gateway.server import run

    run(settings, host, port)


@flower_app.command()
def flower(*, host: Host = None, port: Port = None) -> None:
    """Run Flower, the operators' view on workers and queues."""
    settings = _begin(current_settings)
    from workers.flower import run

    run(settings, host, port)


def _begin(read: Callable[[], Settings]) -> Settings:
    """The settings; this process logs as they say. Ctrl-C ends it, until it has a way of its own to end."""
    end_at_once()
    from workers.logs import configure_logging

    settings = read()
    os.environ["LOG_LEVEL"] = settings.log_level
    configure_logging(settings.log_level)
    return settings
