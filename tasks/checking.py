"""What is looked at to say how Tocsin is, put together of what several capabilities know: a part of the wiring beside `runtime`.

The one table of checks. A capability adds a line to `checks_of`; what it needs is made when the check runs, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.runtime import Runtime
    from tasks.utils.health_monitor import Check


def checks_of(runtime: Runtime) -> list[Check]:
    """Every check, in the order in which people read them."""
    del runtime
    return []
