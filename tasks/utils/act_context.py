"""What goes on at this moment in this thread or request: the act that is under way, and the id that ties its consequences to it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.actor import Actor


class Underway:
    """An act under way. What is learnt on the way is put here: whoever began the act writes it down at the end."""

    def __init__(self, act_id: str, actor: Actor, correlation: str) -> None:
        self.id = act_id
        self.actor = actor
        self.correlation = correlation
        self.object = ""
        self.detail: dict[str, Any] = {}

    def about(self, what: str, **detail: Any) -> None:
        """Say what the act is done to, `<kind>/<id>`, where only its doing tells; ids and counts beside it."""
        self.object = what
        self.detail.update(detail)


_underway: ContextVar[Underway | None] = ContextVar("tocsin_act", default=None)


def underway() -> Underway | None:
    """The act that is under way here; None where nothing is that goes on record."""
    return _underway.get()


def about(what: str, **detail: Any) -> None:
    """Name the object of the act under way; nothing where none is."""
    act = _underway.get()
    if act is not None:
        act.about(what, **detail)


def acting_as(actor: Actor) -> None:
    """Name who does what is under way, where only that shows it: a service identity, somebody behind a second factor."""
    act = _underway.get()
    if act is not None:
        act.actor = actor


def enter(act: Underway) -> None:
    """From here on, to the end of the block of `within` around it, everything goes on within `act`."""
    _underway.set(act)


@contextmanager
def within(act: Underway | None) -> Iterator[None]:
    """Everything in this block goes on within `act`."""
    token = _underway.set(act)
    try:
        yield
    finally:
        _underway.reset(token)
