import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from http.client import HTTPConnection, HTTPException
from pathlib import Path


class Stage(IntEnum):
    """When a child is stopped: who makes work goes first, what the others stand on goes last."""

    PRODUCER = 0
    WORKER = 1
    OBSERVER = 2
    SERVER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process of the group.

    `ready` tells when it can be counted on: a pattern in what it logs, or a question asked until it is answered yes.
    `environment` is added to that of the parent; `stdin` is written to it; `inherit` are descriptors it keeps open.
    `grace` is how long (seconds) it may take to end when asked to.
    """

    name: str
    command: Sequence[str]
    stage: Stage
    ready: re.Pattern[str] | Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    stdin: str = ""
    inherit: tuple[int, ...] = ()
    grace: float = 15.0

    def full_environment(self) -> dict[str, str]:
        """The parent's environment with this child's own added."""
        return {**os.environ, **self.environment}


def answers_http(port: int, path: str, host: str = "127.0.0.1") -> Callable[[], bool]:
    """A question for `Child.ready`: whether this path answers 200."""

    def ask() -> bool:
        connection = HTTPConnection(host, port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    return ask
