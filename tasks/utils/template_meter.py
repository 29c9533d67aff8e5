"""How much a template may do: processor time, work, and text it makes; counted while it runs."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from jinja2 import TemplateRuntimeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


# So little work takes no time: what it may seem to take is a pause of the garbage collector, which is no fault of the template.
PATIENCE: Final = 50_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one template may use up."""

    time: timedelta = timedelta(milliseconds=250)  # of the processor: a busy machine breaks no template
    work: int = 1_000_000  # about one a character made and ten a step of a loop
    output_bytes: int = 65_536
    source_bytes: int = 65_536
    source_signs: int = 5_000  # names, numbers, operators: what takes time to read


class TemplateLimitError(TemplateRuntimeError):
    """The template wants more than it may have."""


class Meter:
    """Counts what one template does. `spend` raises once it is too much; nothing in a template can catch that."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.thread_time) -> None:
        self._limits = limits
        self._clock = clock
        self._left = limits.work
        self._patient_until = limits.work - PATIENCE
        self._until = clock() + limits.time.total_seconds()

    def spend(self, work: int) -> None:
        """Take note of so much work; TemplateLimitError where it, or the time, exceeds what is allowed."""
        self._left -= work
        if self._left < 0:
            raise TemplateLimitError("it does too much: a loop, a macro or a text has no end; loop over less")
        if self._left < self._patient_until and self._clock() > self._until:
            allowed = round(self._limits.time.total_seconds() * 1000)
            raise TemplateLimitError(f"it takes longer than {allowed} ms; loop over less")


_CURRENT: Final[ContextVar[tuple[Meter, Any]]] = ContextVar("tocsin_template")


@contextmanager
def metered(meter: Meter, words: Any) -> Iterator[None]:
    """Templates that run inside the block spend of this meter and speak these words."""
    token = _CURRENT.set((meter, words))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def spend(work: int) -> None:
    """Let the template that runs now pay for so much work."""
    _CURRENT.get()[0].spend(work)


def current_words() -> Any:
    """What the template that runs now speaks."""
    return _CURRENT.get()[1]
