import random
import socket
from typing import Final

# Below every system's range of outgoing ports: a client that keeps trying to reach a dead server within that range is
# sooner or later given this very port, connects to itself, and the server cannot come back.
RANGE: Final = range(20_000, 32_000)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def pick_port(preferred: int = 0, *, taken: frozenset[int] = frozenset()) -> int:
    """The preferred port if it is free, else any free one that is not in `taken`."""
    if preferred and preferred not in taken and is_free(preferred):
        return preferred
    return next(port for port in random.sample(RANGE, len(RANGE)) if port not in taken and is_free(port))
