"""Three witnesses of every test of loss: the driver's list of what was accepted, the sandbox's own log, the ledger.

    told = hear(accepted, sandbox.log(), audit.verdicts(), dead=planted)
    assert told.nothing_wrong, told

None of the three is believed alone. What was accepted must have a verdict in the ledger; what the ledger calls delivered
must be in the sandbox's log; what is merged, suppressed or dead must have been predicted by the test.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tasks.audit.models import EventVerdict

ENQUEUE: Final = "/v2/enqueue"


class Anything:
    """A prediction that leaves a fate open: `merged=ANY` where the scenario cannot know which ones."""

    def __contains__(self, name: object) -> bool:
        return True


ANY: Final = Anything()


@dataclass
class Told:
    """What the witnesses say together; each list names events or dedup keys, with the reason where there is one."""

    lost: list[str] = field(default_factory=list)
    """Accepted, but the ledger has no verdict, or a broken one, or calls delivered what never arrived."""

    pending: list[str] = field(default_factory=list)
    """Accepted and still under way: a test that has waited for the end should find none."""

    unexpected: list[str] = field(default_factory=list)
    """Merged, suppressed or dead without having been predicted."""

    missing: list[str] = field(default_factory=list)
    """Predicted dead letters that did not die."""

    duplicates: list[str] = field(default_factory=list)
    """One name for every trigger that the sandbox took more often than the ledger sent different events."""

    late_triggers: list[str] = field(default_factory=list)
    """Keys for which a trigger's send began after the resolve had been taken."""

    @property
    def nothing_wrong(self) -> bool:
        """No loss, no surprise, no duplicate, no late trigger, nothing left over."""
        return not any(vars(self).values())


def hear(
    accepted: Iterable[str],
    log: Iterable[dict[str, Any]],
    verdicts: Iterable[EventVerdict],
    *,
    merged: Collection[str] | Anything = (),
    suppressed: Collection[str] | Anything = (),
    dead: Collection[str] | Anything = (),
    reopened: Collection[str] | Anything = (),
) -> Told:
    """Compare the three.

    `accepted`: event ids or dedup keys the driver was told are accepted. `log`: the entries of `/_sandbox/log`.
    `verdicts`: of `AuditService.verdicts()`. `merged`, `suppressed`, `dead`: ids or dedup keys the scenario predicts
    (or ANY). `reopened`: dedup keys whose later triggers are new alerts and may follow a resolve.
    """
    judged = list(verdicts)
    taken = [entry for entry in log if entry["path"].rstrip("/") == ENQUEUE and entry["status"] == 202]
    told = Told()
    _find_losses(told, accepted, judged, taken)
    _find_surprises(told, judged, {"merged": merged, "suppressed": suppressed, "dead": dead})
    told.duplicates = _duplicates(judged, taken)
    told.late_triggers = [key for key in _late_triggers(taken) if key not in reopened]
    return told


def _find_losses(told: Told, accepted: Iterable[str], judged: list[EventVerdict], taken: list[dict[str, Any]]) -> None:
    by_name: dict[str, list[EventVerdict]] = defaultdict(list)
    for verdict in judged:
        by_name[verdict.event_id].append(verdict)
        by_name[verdict.dedup_key].append(verdict)
    arrived = {(entry["dedup_key"], entry["event_action"]) for entry in taken}
    for name in accepted:
        if name not in by_name:
            told.lost.append(f"{name}: the ledger has never heard of it")
        for verdict in by_name[name]:
            if verdict.verdict in ("broken", "lost"):
                told.lost.append(f"{name}: {verdict.reason}")
            elif verdict.verdict == "pending":
                told.pending.append(name)
            elif verdict.verdict == "delivered" and (verdict.dedup_key, verdict.action) not in arrived:
                told.lost.append(f"{name}: delivered, says the ledger; the sandbox has never seen it")


def _find_surprises(told: Told, judged: list[EventVerdict], predicted: dict[str, Collection[str] | Anything]) -> None:
    for verdict in judged:
        if verdict.verdict in predicted and not _is_named(verdict, predicted[verdict.verdict]):
            told.unexpected.append(f"{verdict.event_id} ({verdict.dedup_key}): {verdict.verdict}, {verdict.reason}")
    dead = predicted["dead"]
    if not isinstance(dead, Anything):
        died = {name for v in judged if v.verdict == "dead" for name in (v.event_id, v.dedup_key)}
        told.missing = sorted(set(dead) - died)


def _is_named(verdict: EventVerdict, names: Collection[str] | Anything) -> bool:
    return verdict.event_id in names or verdict.dedup_key in names


def _duplicates(judged: list[EventVerdict], taken: list[dict[str, Any]]) -> list[str]:
    sent = Counter(v.dedup_key for v in judged if v.verdict == "delivered" and v.action == "trigger")
    arrived = Counter(entry["dedup_key"] for entry in taken if entry["event_action"] == "trigger")
    return sorted((arrived - sent).elements())


def _late_triggers(taken: list[dict[str, Any]]) -> list[str]:
    resolved_at: dict[tuple[str, str], float] = {}
    late: dict[str, None] = {}
    for entry in sorted(taken, key=lambda entry: entry["at"]):
        place = (entry["routing_key"], entry["dedup_key"])
        if entry["event_action"] == "resolve":
            resolved_at.setdefault(place, entry["at"])
        elif entry["event_action"] == "trigger" and place in resolved_at:
            late[entry["dedup_key"]] = None
    return list(late)
