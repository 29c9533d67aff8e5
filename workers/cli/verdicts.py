"""What became of each event, as a table."""

from datetime import timedelta

from tasks.audit.models import EventVerdict
from workers.cli.output import answer_json, answer_table
from workers.cli.wiring import shell_runtime

_HEADERS = ("EVENT", "VERDICT", "WHY", "SERVICE", "ACTION", "DEDUP KEY")


def verdicts(span: timedelta | None, verdict: str | None) -> list[EventVerdict]:
    """The verdicts on what was accepted in the last `span` (None: ever), or only those of one kind."""
    return [one for one in shell_runtime().audit.verdicts(span) if verdict in (None, one.verdict)]


def show_verdicts(span: timedelta | None, verdict: str | None, *, as_json: bool) -> None:
    """Print them."""
    found = verdicts(span, verdict)
    if as_json:
        answer_json([one.model_dump() for one in found])
        return
    rows = [(one.event_id, one.verdict, _why(one), one.service, one.action, one.dedup_key) for one in found]
    answer_table(_HEADERS, rows)


def _why(one: EventVerdict) -> str:
    due = "" if one.due is None else f"due {one.due:%H:%M:%S %Z}"
    reason = ": ".join(filter(None, (one.reason, one.detail)))
    return " ".join(filter(None, (reason, due)))
