"""PagerDuty's own description of its APIs, held against what tests say to the sandbox and what it answers."""

from __future__ import annotations

from tests.openapi.checks import Checker
from tests.openapi.document import is_at_hand
from tests.openapi.watch import Watch

__all__ = ["Checker", "Watch", "is_at_hand"]
