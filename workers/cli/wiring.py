"""The services as the shell uses them: in this process, not through a worker."""

from tasks.runtime import Runtime
from workers.cli.connection import current_settings, reach_redis


def shell_runtime() -> Runtime:
    """The wiring of this process; Redis has answered."""
    return Runtime(reach_redis())


def quiet_runtime() -> Runtime:
    """The wiring of this process for what needs no Redis; nobody has asked whether it is there."""
    return Runtime(current_settings())
