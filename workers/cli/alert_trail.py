"""`tocsin alerts trail`: the story of one event, or of one alert on a time line."""

from tasks.audit.models import AlertTrail, Step
from tasks.utils.formatters import for_terminal
from workers.cli.output import CliError, answer, answer_json
from workers.cli.wiring import shell_runtime


def show_trail(name: str, service: str | None, *, as_json: bool) -> None:
    """Print what the ledger knows of an event id, else of a dedup key."""
    runtime = shell_runtime()
    story = runtime.audit.story(name)
    if story:
        _show_event(name, story, as_json=as_json)
        return
    trails = runtime.audit.trails(name, [service] if service else runtime.settings.services)
    if not trails:
        mend = "" if service else " Where its service is not configured any more, name it: --service."
        raise CliError(f"Nothing is known of {name}. Which there are: tocsin alerts list --since 1d.{mend}")
    if as_json:
        answer_json([trail.model_dump(mode="json") for trail in trails])
        return
    for trail in trails:
        _show_alert(trail)


def _show_event(event_id: str, story: list[Step], *, as_json: bool) -> None:
    if as_json:
        answer_json({event_id: [step.model_dump() for step in story]})
    else:
        answer("\n".join([event_id, *(for_terminal(f"  {step}") for step in story)]))


def _show_alert(trail: AlertTrail) -> None:
    """A head, the events by number, then every step with the time since the one before."""
    numbers = {event.event_id: event.number for event in trail.events}
    took = sum(step.gap_ms for step in trail.steps)
    counts = f"{len(trail.events)} events, {len(trail.steps)} steps"
    lines = [f"{trail.dedup_key} of service {trail.service}: {counts} in {span(took)}"]
    lines += [f"  #{event.number:<3} {event.action:<12} {event.event_id}" for event in trail.events]
    day = ""
    for step in trail.steps:
        if f"{step.at:%Y-%m-%d}" != day:
            day = f"{step.at:%Y-%m-%d}"
            lines.append(f"{day} UTC")
        gap = f"+{span(step.gap_ms)}" if step.gap_ms else ""
        time, _, text = str(step).partition(" ")
        lines.append(f"  {time}  {gap:>12}  #{numbers[step.event_id]:<3} {text}")
    answer("\n".join(for_terminal(line) for line in lines))


def span(milliseconds: int) -> str:
    """A time as people read it, in its two largest units."""
    seconds = abs(milliseconds) // 1000
    sign = "-" if milliseconds < 0 else ""
    if seconds < 1:
        return f"{milliseconds} ms"
    if seconds < 60:
        return f"{milliseconds / 1000:.1f} s"
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return sign + " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)
