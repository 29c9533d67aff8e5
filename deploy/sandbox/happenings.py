"""What happens in the account, told to whoever listens: the webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened, as a webhook would tell it. `at`: epoch seconds of the sandbox's clock.

    `data` is in the shape of `event.data`, whole; `resource_id` is the incident (or service) whose webhooks stay in order.
    """

    event_type: str
    at: float
    data: Mapping[str, Any]
    resource_id: str
    service_id: str = ""
    team_ids: tuple[str, ...] = ()
    agent: Mapping[str, Any] | None = None
    client: Mapping[str, Any] | None = None


Listener: TypeAlias = Callable[[Happening], None]


class Happenings:
    """Passes each happening on to every listener, in order."""

    def __init__(self) -> None:
        self._listeners: list[tuple[Listener, Callable[[], bool]]] = []

    def listen(self, listener: Listener, wanted: Callable[[], bool] = lambda: True) -> None:
        """Call `listener` with whatever happens from now on, as long as `wanted` says so."""
        self._listeners.append((listener, wanted))

    def __bool__(self) -> bool:
        """Whether anybody wants to hear: if not, nobody need put a happening together."""
        return any(wanted() for _, wanted in self._listeners)

    def announce(self, happening: Happening) -> None:
        """Tell all listeners."""
        for listener, wanted in self._listeners:
            if wanted():
                listener(happening)
