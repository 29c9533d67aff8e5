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
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with whatever happens from now on."""
        self._listeners.append(listener)

    def announce(self, happening: Happening) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            listener(happening)
