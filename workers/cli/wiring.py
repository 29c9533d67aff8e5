"""The services as the shell uses them: in this process, not through a worker."""

import structlog

from tasks.runtime import Runtime
from workers.cli.connection import current_settings, reach_redis
from workers.logs import configure_logging


def shell_runtime() -> Runtime:
    """The wiring of this process; Redis has answered. What services log goes to stderr, and only where it is amiss."""
    if not structlog.is_configured():
        configure_logging("WARNING")
    return Runtime(reach_redis())


def quiet_runtime() -> Runtime:
    """The wiring of this process for what needs no Redis; nobody has asked whether it is there."""
    return Runtime(current_settings())
