"""What the ledger says of an event, in words."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from deploy.local.demo.ledger import Event, Step

WORKER_DIED = "its worker died"


def why(event: Event) -> str:
    """The reason of what became of it, with the ledger's own name of the rule where there is one."""
    end = event.end
    if end is None:
        return event.steps[-1].name
    if end.name != "sent":
        return end.reason
    trouble = Counter(_trouble(event.steps))
    if not trouble:
        return f"{end.reason}, 1st try"
    tries = sum(step.name == "attempt" for step in event.steps)
    return f"{end.reason}, {tries} tries: " + ", ".join(_times(count, name) for name, count in trouble.items())


def span(seconds: float) -> str:
    """A time as people read it."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def told(name: str, event: Event, step: Step) -> list[str]:
    """What to say of a step of the alert called `name`, a line each; nothing of the steps that go without saying."""
    subject = f"{event.action} {name}"
    match step.name:
        case "sent":
            return [f"{subject}: delivered by channel {step.reason}, {span(event.took)} after acceptance"]
        case "suppressed":
            return [f"{subject}: suppressed by rule {step.reason}"]
        case "dead":
            return [f"{subject}: dead letter, because of {step.reason}:", *step.detail.split("; ")]
        case _:
            return []


def _times(count: int, name: str) -> str:
    return f"{count} x {name}" if count > 1 else name


def _trouble(steps: Sequence[Step]) -> list[str]:
    """Why attempts came to nothing. One that nothing followed but another attempt had lost its worker."""
    found = [step.reason for step in steps if step.name in ("retry", "next_channel")]
    course = [step.name for step in steps if step.name != "received"]
    lost = sum(pair == ("attempt", "attempt") for pair in pairwise(course))
    return found + [WORKER_DIED] * lost
