"""Everything goes wrong at once, by a seed, while alerts flow; three witnesses judge. The long form is `make chaos`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.chaos.kit.faults import kinds_for
from tests.chaos.kit.load import Description
from tests.chaos.kit.plan import Strike, make_plan
from tests.chaos.kit.run import Run, survive
from tests.chaos.kit.stage import Shape

if TYPE_CHECKING:
    from pathlib import Path

SEED = int(os.environ.get("SEED", "1"))
EMPTIED = ("server data lost", "server flushed")
SMALL = Shape(beat=0, services=4)


def test_nothing_is_lost_in_a_short_time_of_everything(tmp_path: Path) -> None:
    load = Description(seconds=12, per_minute=600, open_for=(0.0, 1.0, 3.0))
    kinds = kinds_for(SMALL)
    elsewhere = {name: kind for name, kind in kinds.items() if kind.place != "server"}
    emptied = Strike(at=6.0, kind=EMPTIED[SEED % 2], seconds=0.5)
    plan = sorted([*make_plan(SEED, load.seconds, 5, elsewhere), emptied])

    result = survive(Run(SEED, load, faults=6, shape=SMALL, plan=plan), tmp_path)

    print(result.table)
    assert result.wrong == []
    assert len(result.struck) == 6
