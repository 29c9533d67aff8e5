"""One run of chaos: the fleet, the load, the plan; then the witnesses and the table."""

from __future__ import annotations

import heapq
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tasks.runtime import Runtime
from tests.chaos.kit import table
from tests.chaos.kit.faults import kinds_for
from tests.chaos.kit.idleness import Idleness
from tests.chaos.kit.judge import Evidence, judge
from tests.chaos.kit.load import Description, Load
from tests.chaos.kit.losses import losses_of, proof_of, verdicts_of
from tests.chaos.kit.plan import make_plan, to_text
from tests.chaos.kit.sealing import Sealing
from tests.chaos.kit.stage import Shape, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.chaos.kit.fault import Fault
    from tests.chaos.kit.plan import Strike

PATIENCE: Final = 180.0  # seconds until everything must be over once the load and all faults are
LOOK: Final = 0.25


@dataclass(frozen=True)
class Run:
    """What is to be done."""

    seed: int
    load: Description
    faults: int
    shape: Shape = field(default_factory=Shape)
    plan: Sequence[Strike] = ()
    """Instead of what the seed would make of it."""
    limits: bool = False
    """Whether the sandbox throttles as PagerDuty does."""

    def strikes(self) -> Sequence[Strike]:
        """What goes wrong, and when."""
        return self.plan or make_plan(self.seed, self.load.seconds, self.faults, kinds_for(self.shape))


@dataclass
class Result:
    """What came of it."""

    wrong: list[str]
    table: str
    figures: dict[str, float]
    struck: list[table.Struck]


def survive(run: Run, folder: Path, say: Callable[[str], object] = print) -> Result:
    """Run it. Plan, logs and what the witnesses said are left in the folder."""
    plan = run.strikes()
    (folder / "plan.jsonl").write_text(to_text(plan))
    load = run.load
    say(f"chaos: seed {run.seed}, {load.seconds:.0f} s, {len(plan)} faults, {load.per_minute:.0f} events a minute")
    with Stage(folder, run.shape, sandbox_options=() if run.limits else ("--no-limits",)) as stage:
        evidence, struck, ending = _play(stage, run, plan, say)
        evidence.save(folder)
        wrong = [*ending, *judge(evidence)]
        rows = table.rows_of(struck, table.retries_of(stage.fleet), evidence)
        return Result(wrong, table.as_text(rows), _figures(stage, evidence), struck)


def _play(
    stage: Stage, run: Run, plan: Sequence[Strike], say: Callable[[str], object]
) -> tuple[Evidence, list[table.Struck], list[str]]:
    """Send the load, strike by the plan, wait for the end: what the witnesses say, what was done, what is wrong already."""
    idleness, sealing = Idleness(stage), Sealing(stage)
    idleness.start()
    sealing.start()
    load = Load(stage, run.load, run.seed)
    load.start()
    try:
        struck = _strike(stage, load, plan, say)
        ending = _await_end(stage, load, PATIENCE + run.load.longest)
        ending += _compare(stage, load) if stage.emptied else []
    finally:
        load.give_up()
        sealing.close()
        idleness.close()
    accepted, proof = load.accepted(), proof_of(stage.fleet)
    verdicts = verdicts_of(stage.fleet, accepted.services)
    losses = losses_of(stage, proof, accepted, verdicts)
    evidence = Evidence(
        accepted=accepted,
        log=stage.fleet.sandbox.log(),
        verdicts=verdicts,
        may_repeat=sum(one.may_repeat for one in struck),
        idle=idleness.longest,
        losses=losses,
    )
    return evidence, struck, [*ending, *proof.wrong(losses)]


def _compare(stage: Stage, load: Load) -> list[str]:
    """Both sides once more, as beat does it every five minutes: what was in flight at a loss came to PagerDuty later."""
    runtime = Runtime(stage.fleet.settings)
    with closing(runtime.client), closing(runtime.rest):
        while runtime.incident_sync.run().state == "busy":
            time.sleep(LOOK)
    return _await_end(stage, load, PATIENCE)


def _strike(stage: Stage, load: Load, plan: Sequence[Strike], say: Callable[[str], object]) -> list[table.Struck]:
    """Carry out the plan, one thing at a time; what was done when."""
    kinds = kinds_for(stage.shape)
    todo: list[tuple[float, int, Strike, Fault | None, float]] = [
        (strike.at, number, strike, None, 0.0) for number, strike in enumerate(plan)
    ]
    heapq.heapify(todo)
    struck: list[table.Struck] = []
    while todo:
        at, number, strike, fault, since = heapq.heappop(todo)
        time.sleep(max(0.0, at - load.since))
        if fault is None:
            say(str(strike))
            fault, since = kinds[strike.kind].make(stage, strike.target), time.time()
            fault.strike()
            heapq.heappush(todo, (max(at, load.since) + strike.seconds, number, strike, fault, since))
        else:
            fault.heal()
            struck.append(table.Struck(strike, since, time.time(), fault.may_repeat()))
    return struck


def _await_end(stage: Stage, load: Load, patience: float) -> list[str]:
    """What is wrong, if the end does not come."""
    over = time.monotonic() + patience
    while not (load.is_done() and stage.is_over()):
        if time.monotonic() > over:
            sending = sum(sender.is_alive() for sender in load.senders)
            why = f"it does not end within {patience:.0f} s: {sending} senders still send"
            return [f"{why}\n{stage.fleet.last_lines()}"]
        time.sleep(LOOK)
    return []


def _figures(stage: Stage, evidence: Evidence) -> dict[str, float]:
    accepted, verdicts = evidence.accepted, evidence.verdicts
    logs = [path.stat().st_size for path in stage.fleet.folder.glob("*.log")]
    counted = {
        name: sum(v.verdict == name for v in verdicts)
        for name in ("delivered", "merged", "suppressed", "dead", "pending", "broken")
    }
    ended = {f"{name} ended by itself with {code}": times for (name, code), times in sorted(stage.ended.items())}
    return {
        "accepted": sum(accepted.events.values()),
        **counted,
        "arrived": len(evidence.arrived),
        **(evidence.lost() if stage.emptied else {}),
        "duplicates": len(evidence.repeats()),
        "duplicates allowed": evidence.may_repeat,
        "refused with 503": accepted.refused,
        "broken off": sum(accepted.perhaps.values()) - accepted.refused,
        "slowest answer (s)": round(accepted.slowest, 2),
        "longest idle (s)": round(max(evidence.idle.values(), default=0.0), 1),
        "logs (MB)": round(sum(logs) / 1e6, 1),
        "largest log (MB)": round(max(logs) / 1e6, 1),
        **ended,
    }
