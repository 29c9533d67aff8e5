"""Sends checked alerts as `alerts.submit` and tells their event ids; while Redis is away, keeps them in the spool."""

import uuid
from typing import Any, NamedTuple

from workers.cli.alert_spool import counted, drain, folder, hand_over, is_outage, keep, shown_url
from workers.cli.connection import current_settings, reach_redis
from workers.cli.output import CliError, ExitCode, answer_json, say
from workers.cli.task_calls import send, wait_for


class Message(NamedTuple):
    """The alerts of one task message; their event ids are `<task id>:<index>`, whichever way they go."""

    task_id: str
    alerts: list[dict[str, Any]]

    def entries(self, **more: str) -> list[dict[str, Any]]:
        """What is told of each alert before anything is decided."""
        ids = [f"{self.task_id}:{index}" for index in range(len(self.alerts))]
        return [
            {"id": event_id, "dedup_key": alert.get("dedup_key") or event_id, "task_id": self.task_id, **more}
            for event_id, alert in zip(ids, self.alerts, strict=True)
        ]


class Submission(NamedTuple):
    """One entry per alert: its event id and its task's id, and when waited for, what was decided."""

    entries: list[dict[str, Any]]
    is_spooled: bool


def send_all(alerts: list[dict[str, Any]], *, wait_seconds: float | None) -> Submission:
    """Hand the alerts over, after whatever waits in the spool. What Redis does not take is kept there, and said so."""
    from tasks.foundation import sealed_fields_of

    settings = current_settings()
    fields, size = sealed_fields_of(settings), settings.ingest.max_alerts_per_message
    alerts = [fields.seal(alert) for alert in alerts]
    chunks = [alerts[start : start + size] for start in range(0, len(alerts), size)]
    messages = [Message(str(uuid.uuid4()), chunk) for chunk in chunks]
    sent: list[Message] = []
    try:
        _send(messages, sent)
    except Exception as error:
        if not is_outage(error):
            raise
        left = messages[len(sent) :]
        _keep(left, error)
        return Submission([*_entries(sent), *_entries(left, state="spooled")], is_spooled=True)
    if wait_seconds is None:
        return Submission(_entries(messages), is_spooled=False)
    decisions = [one for message in messages for one in _decisions(message.task_id, wait_seconds)]
    return Submission(decisions, is_spooled=False)


def _send(messages: list[Message], sent: list[Message]) -> None:
    """Send them one by one; `sent` grows with each."""
    earlier = hand_over(reach_redis())
    if earlier.handed_over:
        say(f"Handed over first from the spool: {counted(earlier.handed_over)}.")
    for message in messages:
        send("alerts.submit", {"alerts": message.alerts}, message.task_id)
        sent.append(message)


def _entries(messages: list[Message], **more: str) -> list[dict[str, Any]]:
    return [entry for message in messages for entry in message.entries(**more)]


def _keep(messages: list[Message], error: Exception) -> None:
    from tasks.utils.spool import SpoolError

    settings = current_settings()
    away = f"Redis at {shown_url(settings)} does not answer"
    kept = 0
    try:
        for message in messages:
            keep(settings, message.task_id, message.alerts)
            kept += len(message.alerts)
    except SpoolError as refused:
        lost = sum(len(message.alerts) for message in messages) - kept
        said = f"{away}, and {refused}\nNot taken: {counted(lost)}; kept in {folder(settings)}: {counted(kept)}"
        raise CliError(said, ExitCode.UNAVAILABLE) from error
    say(
        f"{away}; {counted(kept)} kept in {folder(settings)}\n"
        "To be handed over by the gateway of this machine, by the next `tocsin alerts submit`, or by `tocsin alerts drain`,\n"
        "once Redis is started, or REDIS_URL says where it runs."
    )


def _decisions(task_id: str, wait_seconds: float) -> list[dict[str, Any]]:
    outcome = wait_for(task_id, timeout_seconds=wait_seconds)
    if outcome.error is not None:
        raise CliError(f"The workers failed on alerts.submit ({task_id}): {outcome.error}")
    return [decision | {"task_id": task_id} for decision in outcome.result["alerts"]]


def drain_spool(*, as_json: bool) -> bool:
    """Hand over what waits and say so; whether all of it could be read. CliError (75) while Redis is away."""
    done = drain(current_settings())
    if as_json:
        answer_json(done._asdict())
    else:
        say(f"Handed over to Redis: {counted(done.handed_over)}.")
        if done.held_by_others:
            say(f"Files that a running gateway looks after itself: {done.held_by_others}.")
        if done.damaged:
            say(f"Damaged lines that could not be read: {done.damaged}; they are kept in *.damaged beside the spool.")
    return not done.damaged
