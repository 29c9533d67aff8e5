"""`make chaos SEED=1 MINUTES=10`: everything goes wrong that can, and nothing accepted is lost."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.kit.faults import kinds_for
from tests.chaos.kit.load import Description
from tests.chaos.kit.plan import from_text
from tests.chaos.kit.run import Run, survive
from tests.chaos.kit.stage import Shape

FAULTS_A_MINUTE = 11
PER_MINUTE = 2000.0
LARGE = Shape(alert=2, delivery=2, maintenance=1)


def main() -> int:
    signal.signal(signal.SIGTERM, _leave)
    asked = _parser().parse_args()
    if asked.kinds:
        print("\n".join(sorted(kinds_for(LARGE))))
        return 0
    faults = asked.faults or max(1, round(asked.minutes * FAULTS_A_MINUTE))
    plan = from_text(asked.plan.read_text()) if asked.plan else ()
    folder = Path(tempfile.mkdtemp(prefix="tocsin-chaos-"))
    run = Run(asked.seed, Description(60 * asked.minutes, asked.per_minute), faults, LARGE, plan, limits=asked.limits)
    result = survive(run, folder)
    print(f"\n{result.table}\n")
    for name, figure in result.figures.items():
        print(f"{name:>40}: {figure:g}")
    if not result.wrong:
        shutil.rmtree(folder)
        print(f"\nSurvived {len(result.struck)} faults with seed {run.seed}: nothing lost, nothing out of order.")
        return 0
    print("\nNOT SURVIVED:", *result.wrong, sep="\n- ")
    print(f"\nAgain: make chaos SEED={run.seed} MINUTES={asked.minutes:g}{_arguments(asked)}")
    print(f"Its plan, logs and ledger: {folder}")
    return 1


def _arguments(asked: argparse.Namespace) -> str:
    """What else it takes to do the same again."""
    options = {"--faults": asked.faults, "--per-minute": asked.per_minute, "--plan": asked.plan}
    words = [f"{name} {value}" for name, value in options.items() if value not in (None, PER_MINUTE)]
    words += ["--limits"] * asked.limits
    return f' ARGS="{" ".join(words)}"' if words else ""


def _leave(number: int, _: object) -> None:
    """Leave in order, so that the fleet is ended, too."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--faults", type=int, help=f"how many; by default {FAULTS_A_MINUTE} a minute")
    parser.add_argument("--per-minute", type=float, default=PER_MINUTE, help="events a minute")
    parser.add_argument(
        "--limits", action="store_true", help="let the sandbox take 120 events a minute and key, as PagerDuty does"
    )
    parser.add_argument("--plan", type=Path, help="strikes as JSON lines, instead of what the seed makes")
    parser.add_argument("--kinds", action="store_true", help="list the kinds of faults")
    return parser


if __name__ == "__main__":
    sys.exit(main())
