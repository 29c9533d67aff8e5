"""Everything goes wrong at once, by a seed, while alerts flow; three witnesses judge. The long form is `make chaos`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.chaos.kit.load import Description
from tests.chaos.kit.run import Run, survive
from tests.chaos.kit.stage import Shape

if TYPE_CHECKING:
    from pathlib import Path

SEED = int(os.environ.get("SEED", "1"))
SMALL = Shape(beat=0, services=4)


def test_nothing_is_lost_in_a_short_time_of_everything(tmp_path: Path) -> None:
    load = Description(seconds=12, per_minute=600, open_for=(0.0, 1.0, 3.0))

    result = survive(Run(SEED, load, faults=6, shape=SMALL), tmp_path)

    print(result.table)
    assert result.wrong == []
    assert len(result.struck) == 6
