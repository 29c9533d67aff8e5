"""The services as the shell uses them: in this process, not through a worker."""

from tasks.runtime import Runtime
from workers.cli.connection import reach_redis


def shell_runtime() -> Runtime:
    """The wiring of this process; Redis has answered."""
    return Runtime(reach_redis())
