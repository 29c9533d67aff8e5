"""Looks at health from a shell, also where the configuration is at fault or Redis is away."""

from __future__ import annotations

import os
import socket
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from config.errors import ConfigError
from tasks.health.examination import About, report_of
from tasks.runtime import Runtime
from tasks.utils.health_monitor import Line
from workers.cli.connection import current_settings

if TYPE_CHECKING:
    from tasks.health.models import Depth, HealthReport

CLEAR: Final = "\x1b[H\x1b[2J"


def look(depth: Depth, *, send_test: bool = False) -> HealthReport:
    """How everything is; with a configuration that cannot be read, just that."""
    try:
        runtime = _runtime()
    except ConfigError as error:
        return report_of(_config_lines(error), About("unknown", socket.gethostname(), version("tocsin")), depth, 0.0)
    if not send_test:
        return runtime.health.examine(depth)
    from tasks.checking import marked_event, marked_service
    from tasks.utils.acts import Act

    with runtime.acts.during(Act("health.send_test", f"service/{marked_service(runtime.settings)}")):
        return runtime.health.examine(depth, [marked_event(runtime)])


def look_again(depth: Depth, every: float) -> NoReturn:
    """Look and show, over and over, until Ctrl-C."""
    from workers.cli.health_commands import show

    while True:
        found = look(depth)
        if sys.stdout.isatty():
            sys.stdout.write(CLEAR)
        show(found)
        time.sleep(every)


def state_dir() -> Path:
    """The state folder; where the configuration cannot be read, as the environment alone has it."""
    try:
        return current_settings().state_dir
    except ConfigError:
        home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        return Path(os.environ.get("TOCSIN_STATE_DIR") or home / "tocsin")


def _runtime() -> Runtime:
    from schedules.due import due_by

    runtime = Runtime(current_settings())
    runtime.expected = due_by(lambda: runtime.settings)
    return runtime


def _config_lines(error: ConfigError) -> list[Line]:
    mend = "mend it where it stands; `tocsin config check` lists it all. Nothing else can be looked at before"
    return [Line("config.files", "fail", str(problem), "no problems", mend) for problem in error.problems]
