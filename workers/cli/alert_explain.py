"""`tocsin alerts explain`: what would become of an alert and why, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workers.cli.alert_input import Flags, checked, from_file
from workers.cli.connection import current_settings
from workers.cli.output import CliError, ExitCode, answer, answer_json, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tasks.alerts.explanation import Explanation, RouteLook, Way

NO_FLAGS: Final = Flags(None, "critical", None, None, "trigger")
OUTCOMES: Final = {
    "sent": "would be SENT",
    "merged": "would be MERGED, nobody is called again",
    "suppressed": "would be HELD BACK",
}
WIDEST: Final = 60  # characters of a label's value that are shown


def explain_file(file: str, service: str | None, *, at: datetime | None, routes: Sequence[str], as_json: bool) -> None:
    """Print an explanation of every alert in a file."""
    from tasks.runtime import Runtime

    settings = current_settings()
    wanted = service or settings.default_service
    alerts = [alert for document in from_file(file, NO_FLAGS) for alert in _alerts_in(document, wanted)]
    ready, _ = checked(alerts, service)
    explained = Runtime(settings).explainer.explain(ready, at=at, routes=routes)
    if as_json:
        answer_json({"alerts": [one.model_dump(mode="json") for one in explained]})
        return
    answer("\n\n".join("\n".join(_page(one, number)) for number, one in enumerate(explained, 1)))
    if explained and not explained[0].state_known:
        say("Redis does not answer: silences, inhibition and what is open already could not be looked up.")


def _alerts_in(document: Any, service: str) -> list[Any]:
    """The alerts that one document stands for: those of a body of Alertmanager's webhook, else itself."""
    from tasks.alerts.parsing import alertmanager_entries, from_alertmanager

    if not isinstance(document, dict) or "event_action" in document or not isinstance(document.get("alerts"), list):
        return [document]
    entries = alertmanager_entries(document)
    if not entries:
        raise CliError("The webhook's list of alerts is empty: there is nothing to explain.", ExitCode.USAGE)
    return [from_alertmanager(entry, document, service) for entry in entries]


def _page(one: Explanation, number: int) -> Iterator[str]:
    key = one.dedup_key or "(no dedup_key: each event by itself)"
    yield f"{number}. {one.action} {key} of service {one.service}"
    yield from _lines("as of", [f"{one.at.astimezone():%a %Y-%m-%d %H:%M %Z}"])
    yield from _lines("outcome", [_outcome(one)])
    yield from _lines("mended", _mended(one))
    yield from _lines("routes", [line for way in one.ways for line in _way(way)] + _about_following(one))
    yield from _lines("rules", _rules(one))
    yield from _lines("labels", _labels(one.labels))
    yield from _lines("grouped", [one.group])
    yield from _lines("policy", [one.policy])
    yield from _lines("why not", [line for look in one.looks for line in _look(look)])


def _lines(title: str, lines: Sequence[str]) -> Iterator[str]:
    for index, line in enumerate(lines):
        yield f"   {'' if index else title:<8} {line}"


def _outcome(one: Explanation) -> str:
    told = OUTCOMES[one.outcome]
    if one.outcome == "sent":
        unless = "" if one.state_known else ", if no rule and no earlier alert stands against it"
        return f"{told} to {', '.join(one.destinations)}{unless}"
    return f"{told}: {one.outcome_why}"


def _mended(one: Explanation) -> list[str]:
    from tasks.utils.validators import ADAPTATIONS

    return [ADAPTATIONS[name] for name in one.adaptations]


def _way(way: Way) -> Iterator[str]:
    why = " and ".join(way.why)
    yield f"{way.route}: {why}" if why else way.route
    channels = ", then ".join(f"{channel.name} ({channel.kind}, key {channel.key_id})" for channel in way.channels)
    yield f"  to {way.destination}: {channels or 'no channel takes it'}"


def _about_following(one: Explanation) -> list[str]:
    """What to know where an acknowledge or resolve goes by its labels, since no open alert is known."""
    if one.follows or one.action not in ("acknowledge", "resolve"):
        return []
    if one.state_known:
        return ["(nothing is open that it could follow, so its labels decide)"]
    return ["(it follows its alert, where one is open; only Redis knows whether and where)"]


def _rules(one: Explanation) -> list[str]:
    if not one.state_known:
        return ["not looked up: Redis does not answer"]
    told = [
        f"{rule.rule} {'IN FORCE' if rule.in_force else 'not in force'} {rule.about}".rstrip() for rule in one.rules
    ]
    return told or [
        "none matches" if one.action == "trigger" else "none: silences and inhibition hold back triggers only"
    ]


def _labels(labels: dict[str, str]) -> list[str]:
    return [
        f"{name}={value if len(value) <= WIDEST else value[:WIDEST] + '…'}" for name, value in sorted(labels.items())
    ]


def _look(look: RouteLook) -> Iterator[str]:
    told = {"taken": "is taken", "refined": "fits, and routes beneath it take the alert", "unfit": "does not fit"}
    yield f"{look.route} {told.get(look.verdict, f'is not tried: {look.because}')}"
    yield from (f"  no   {condition}" for condition in look.failed)
    yield from (f"  yes  {condition}" for condition in look.held)
