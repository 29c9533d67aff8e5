"""How hard tests of properties search for a counterexample: briefly each time, and `make proofs` ten times as long."""

from __future__ import annotations

import os
from typing import Any, Final

from hypothesis import HealthCheck, settings

EFFORT: Final = float(os.environ.get("TOCSIN_TEST_EFFORT", "1"))
MAY_BE_SLOW: Final = [HealthCheck.too_slow]


def searched(examples: int, *unchecked: HealthCheck, **more: Any) -> settings:
    """So many examples, times the effort of this run, in as long as they take."""
    count = max(1, round(examples * EFFORT))
    return settings(max_examples=count, suppress_health_check=[*MAY_BE_SLOW, *unchecked], **{"deadline": None, **more})
