"""A process that encrypts everything anew in children, to be killed at any moment; see `tests.integration.logs.victim`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from config.settings import load
from tasks.rotating import RotationWiring
from tasks.runtime import Runtime
from tests.conftest import ROOT
from tests.integration.logs.victim import Fate, serve

if TYPE_CHECKING:
    from config.models import Settings

OURS = tuple(str(ROOT / part) for part in ("tasks", "config"))


def rotate(settings: Settings, last: int) -> int:
    """Encrypt everything anew; the number of calls that took."""
    fate = Fate(last, OURS)
    wiring = RotationWiring(Runtime(settings), pause=lambda _: None)
    sys.setprofile(fate)
    wiring.rotate("encryption")
    sys.setprofile(None)
    return fate.calls


if __name__ == "__main__":
    serve(partial(rotate, load()))
