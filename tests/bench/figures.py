"""How figures are said: JSON lines on standard output, talk on standard error."""

from __future__ import annotations

import json
import sys
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def figure(name: str, value: float, unit: str, n: int) -> None:
    """Print one figure: `<bench>.<system>.<figure>`, its value, its unit, and how many samples it rests on."""
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, "n": n}), flush=True)


def say(text: str) -> None:
    """Tell what is going on."""
    print(text, file=sys.stderr, flush=True)


def quantile(samples: Sequence[float], share: float) -> float:
    """The value that `share` of the samples do not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def rate(name: str, per_second: Sequence[float], n: int) -> float:
    """Print the median of some rates; returns it."""
    middle = median(per_second)
    figure(name, middle, "/s", n)
    return middle
