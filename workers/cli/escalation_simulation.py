"""`tocsin escalations simulate`: a policy tried out on an alert that nobody answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from config.errors import did_you_mean
from config.values import format_duration
from tasks.escalations.compiling import compiled
from tasks.escalations.simulation import simulate
from tasks.escalations.words import span_text, target_text
from workers.cli.connection import current_settings
from workers.cli.output import CliError, ExitCode, answer, answer_json, answer_table, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo
    from pathlib import Path

    from config.models import Settings
    from tasks.escalations.policy import Policy, Step
    from tasks.escalations.simulation import Simulation, Turn


class Wanted(NamedTuple):
    """What is to be tried out."""

    policy: str
    at: str | None
    severity: str
    service: str | None
    zone: str | None


def show(wanted: Wanted, *, chart: bool, svg: Path | None, as_json: bool) -> None:
    """Print a simulation as a table, as a chart or as JSON; draw it into a file, too, where one is named."""
    settings = current_settings()
    policy = _policy(settings, wanted.policy)
    kinds = _kinds(settings, wanted.service, policy) if wanted.service else {}
    zone = _zone(wanted.zone, policy)
    found = simulate(policy, _moment(wanted.at, zone), wanted.severity)
    if svg is not None:
        _draw(found, zone, svg)
    if as_json:
        answer_json(_document(found, zone, kinds))
    elif chart:
        answer(_heading(found, zone))
        answer(_chart(found, zone))
    elif svg is None:
        answer(_heading(found, zone))
        answer_table(("AFTER", "TIME", "ROUND", "STEP", "REACHES", "WHY THEN"), list(_rows(found, zone, kinds)))
        answer("\n".join(_notes(found, zone)))


def _policy(settings: Settings, name: str) -> Policy:
    if name not in settings.policies:
        known = sorted(settings.policies)
        mend = did_you_mean(name, known) if known else "write policies/NAME.yaml; docs/escalations.md shows how"
        raise CliError(f"There is no policy {name!r}: {mend}", ExitCode.USAGE)
    return compiled(settings.policies[name], settings.holidays)


def _kinds(settings: Settings, service: str, policy: Policy) -> dict[str, str]:
    """The kind of each channel of a service; every channel that the policy names must be among them."""
    if service not in settings.services:
        mend = did_you_mean(service, sorted(settings.services))
        raise CliError(f"There is no service {service!r}: {mend}", ExitCode.USAGE)
    kinds: dict[str, str] = {channel.name: channel.kind for channel in settings.services[service].channels}
    named = [target for step in policy.steps for target in step.targets if target.kind in ("channel", "webhook")]
    missing = sorted({target.value for target in named if target.value not in kinds})
    if missing:
        what = f"Service {service!r} has no channel {', '.join(missing)}, which policy {policy.name!r} names"
        raise CliError(f"{what}; it has: {', '.join(kinds)}")
    return kinds


def _zone(name: str | None, policy: Policy) -> tzinfo | None:
    """The zone to show: the one that is named, else that of the policy's first hours, else this machine's (None)."""
    first = next((one.hours.calendar.zone for one in policy.steps if one.hours), None)
    if name is None and first is None:
        return None
    try:
        return ZoneInfo(name or first or "UTC")
    except (KeyError, ValueError, OSError):
        raise CliError(f"{name!r} is no time zone: write a name such as Europe/Paris or UTC", ExitCode.USAGE) from None


def _moment(text: str | None, zone: tzinfo | None) -> datetime:
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        mend = "write 2026-01-31T03:00, or with a zone 2026-01-31T03:00+01:00"
        raise CliError(f"{text!r} is no time: {mend}", ExitCode.USAGE) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone) if zone else found.astimezone()
    return found.astimezone(UTC)


def _draw(found: Simulation, zone: tzinfo | None, file: Path) -> None:
    from tasks.escalations.chart import chart_of
    from tasks.escalations.chart_svg import chart_svg

    try:
        file.write_text(chart_svg(chart_of(found), zone), encoding="utf-8")
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error.strerror}") from None
    say(f"wrote {file}")


def _chart(found: Simulation, zone: tzinfo | None) -> str:
    from shutil import get_terminal_size

    from tasks.escalations.chart import chart_of
    from tasks.escalations.chart_text import chart_text

    return chart_text(chart_of(found), zone, min(get_terminal_size((100, 24)).columns, 160))


def _heading(found: Simulation, zone: tzinfo | None) -> str:
    whose = str(zone) if zone else "this machine"
    begun = f"{_wall(found.at, zone)}{_offset(found.at, zone)}"
    return f"policy {found.policy.name}, severity {found.severity}, begins {begun}; times of {whose}\n"


def _rows(found: Simulation, zone: tzinfo | None, kinds: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    rounds = found.policy.repeats + 1
    for turn in found.turns:
        number = "" if turn.step is found.policy.hand_over else f"{turn.round}/{rounds}"
        who = ", ".join(target_text(target, kinds) for target in turn.step.targets)
        reaches = who if turn.outcome == "reached" else "nobody: left out"
        yield span_text(turn.at - found.at), _wall(turn.at, zone), number, turn.step.name, reaches, _why(turn)


def _why(turn: Turn) -> str:
    return f"waited {span_text(turn.waited)[1:]} {turn.why}" if turn.waited else turn.why


def _notes(found: Simulation, zone: tzinfo | None) -> Iterator[str]:
    policy = found.policy
    yield ""
    if not found.turns and len(found.absent) == len(policy.steps):
        yield f"No step is for {found.severity} alerts: PagerDuty's own policy alone calls people."
    if found.absent:
        yield f"Not for {found.severity} alerts: {', '.join(one.name for one in found.absent)}."
    if found.resolved_at:
        yield f"Resolves by itself at {_wall(found.resolved_at, zone)}, {span_text(found.resolved_at - found.at)}."
    if policy.acknowledgement_timeout:
        span = format_duration(policy.acknowledgement_timeout)
        yield f"An acknowledge stops it; {span} later, if still open, the first step is due again."
    else:
        yield "An acknowledge or resolve ends it."
    if policy.escalates_unseen:
        yield "Where PagerDuty takes the alert but shows no incident, the next step is due at once."


def _wall(at: datetime, zone: tzinfo | None) -> str:
    local = at.astimezone(zone)
    return f"{local:%a %Y-%m-%d %H:%M:%S}".removesuffix(":00")


def _offset(at: datetime, zone: tzinfo | None) -> str:
    text = f"{at.astimezone(zone):%z}"
    return f" {text[:3]}:{text[3:5]}"


def _document(found: Simulation, zone: tzinfo | None, kinds: Mapping[str, str]) -> dict[str, Any]:
    policy = found.policy
    return {
        "policy": policy.name,
        "severity": found.severity,
        "at": found.at.astimezone(zone).isoformat(),
        "turns": [_turn(turn, found, zone, kinds) for turn in found.turns],
        "not_for_this_severity": [one.name for one in found.absent],
        "resolves_at": found.resolved_at.astimezone(zone).isoformat() if found.resolved_at else None,
        "acknowledgement_timeout_seconds": _seconds(policy.acknowledgement_timeout),
        "escalates_where_no_incident_is_seen": policy.escalates_unseen,
    }


def _turn(turn: Turn, found: Simulation, zone: tzinfo | None, kinds: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": turn.at.astimezone(zone).isoformat(),
        "after_seconds": (turn.at - found.at).total_seconds(),
        "round": turn.round,
        "step": turn.step.name,
        "outcome": turn.outcome.replace(" ", "_"),
        "targets": _targets(turn.step, kinds),
        "waited_seconds": turn.waited.total_seconds(),
        "why": turn.why,
    }


def _targets(step: Step, kinds: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {
            "kind": kind,
            "value": value,
            **({"channel_kind": kinds[value]} if kind in ("channel", "webhook") and value in kinds else {}),
        }
        for kind, value in step.targets
    ]


def _seconds(span: Any) -> float | None:
    return None if span is None else span.total_seconds()
