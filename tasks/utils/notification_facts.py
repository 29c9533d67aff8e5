"""A bundle as the facts that templates put into words: counted, sorted, cut to size, in one language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.utils.formatters import cut_text
from tasks.utils.notification_media import web_address
from tasks.utils.notification_words import Words, iso, moment, short
from tasks.utils.template_values import LARGEST, Facts, Named
from tasks.utils.validators import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tasks.utils.bundles import Bundle, Member

SHOWN: Final = 10  # members that a message lists; nobody reads more at night
MOST_MEMBERS: Final = 200
MOST_LABELS: Final = 50
MOST_LINKS: Final = 5
MOST_DETAILS: Final = 300  # values of one member's details that templates see
DEEPEST: Final = 6
LONGEST_DETAIL: Final = 4_000
LONGEST_LABEL: Final = 200
LONGEST_SUMMARY: Final = 1_024
LONGEST_TITLE: Final = 160
LONGEST_DESCRIPTION: Final = 600
MOST_EXTRA: Final = 8
# Where people keep the way to help; not part of Events v2, but of nearly every Prometheus rule.
_RUNBOOKS: Final = ("runbook_url", "runbook", "playbook_url", "dashboard_url")
_DESCRIPTIONS: Final = ("description", "message")
# Labels that say what is said anyway.
_SAID: Final = {"summary", "source", "severity", "service", "dedup_key", "client", "action", *_RUNBOOKS, *_DESCRIPTIONS}
_STATES: Final = {"trigger": "firing", "acknowledge": "acknowledged", "resolve": "resolved"}


def facts_of(bundle: Bundle, words: Words) -> Facts:
    """Everything a template can name; docs/notifications.md lists it."""
    members = newest_first(bundle)
    counts = Counts(bundle, members)
    common = _common_labels(bundle, members)
    told = [_member(member, bundle.at, common, words) for member in members[:MOST_MEMBERS]]
    facts = Facts(
        id=bundle.id,
        action=bundle.action,
        status=counts.status,
        status_text=words.say(counts.status),
        severity=worst(bundle),
        severity_text=words.say(worst(bundle)),
        service=cut_text(line(bundle.service), LONGEST_LABEL),
        destination=cut_text(line(bundle.destination), LONGEST_LABEL),
        channel=line(bundle.channel),
        dedup_key=line(bundle.dedup_key),
        group=labels(bundle.group),
        common_labels=common,
        where=_where(bundle, members),
        what=cut_text(line(counts.chief.summary), LONGEST_TITLE) if counts.chief else "",
        open=counts.open,
        new=counts.new,
        acknowledged=counts.acknowledged,
        resolved=counts.resolved,
        came_and_went=bundle.came_and_went,
        is_reminder=bundle.is_reminder,
        is_single=len(members) == 1 and counts.open <= 1 and not bundle.came_and_went,
        members=told,
        shown=SHOWN,
        more=max(len(bundle.members) - SHOWN, 0),
        since=short(bundle.since, bundle.at) if bundle.since else "",
        outage=_outage(bundle, words),
        at=iso(bundle.at),
        time=moment(bundle.at).strftime("%Y-%m-%d %H:%MZ"),
        locale=words.locale,
    )
    facts["counts"] = _counts(facts, words)
    facts["title"] = _title(facts, words)
    facts["mark"] = _mark(facts)
    facts["headline"] = words.say("headline", mark=facts["mark"], title=facts["title"])
    facts["subject"] = _subject(facts, words)
    return facts


def _outage(bundle: Bundle, words: Words) -> str:
    """Why it is told here; '' where it is told where it should be."""
    if bundle.outage is None:
        return ""
    name = "outage_silent" if bundle.outage.is_silent else "outage_forced" if bundle.outage.is_forced else "outage"
    return words.say(name, name=line(bundle.outage.name), time=short(bundle.outage.since, bundle.at))


def newest_first(bundle: Bundle) -> list[Member]:
    """The members of a bundle, of several at one moment the last told first."""
    return sorted(bundle.members, key=lambda member: moment(member.at))[::-1]


class Counts:
    """What the news of a bundle come to: how many alerts stand how, and which of them speaks for all."""

    def __init__(self, bundle: Bundle, members: list[Member]) -> None:
        latest: dict[str, Member] = {}
        for member in members:  # newest first
            latest.setdefault(member.dedup_key or member.event_id, member)
        states = [member.action for member in latest.values()]
        self.new = states.count("trigger")
        self.acknowledged = states.count("acknowledge")
        self.resolved = states.count("resolve")
        gone = bundle.action == "resolve" or (not self.new and not self.acknowledged and not bundle.is_reminder)
        self.open = bundle.open or (0 if gone else self.new + self.acknowledged)
        self.status = self._status(bundle)
        wanted = [m for m in latest.values() if self.status == "resolved" or m.action != "resolve"]
        self.chief = min(wanted, key=lambda member: _rank(member.severity), default=None)

    def _status(self, bundle: Bundle) -> str:
        if bundle.is_reminder:
            return "still_firing"
        if not self.open and (bundle.action == "resolve" or not self.new):
            return "resolved"
        return "acknowledged" if bundle.action == "acknowledge" else "firing"


def worst(bundle: Bundle) -> str:
    """The severity of the bundle; critical where it is none of the known."""
    return bundle.severity if bundle.severity in SEVERITIES else "critical"


def line(text: str) -> str:
    """A text in one line, cut to what a summary may have."""
    return " ".join(cut_text(text, LONGEST_SUMMARY).split())


def labels(given: Mapping[str, str]) -> Named:
    """The first labels, each in one line."""
    chosen = list(given.items())[:MOST_LABELS]
    return Named({line(name)[:LONGEST_LABEL]: cut_text(line(value), LONGEST_LABEL) for name, value in chosen})


def links(member: Member) -> list[Facts]:
    """Where to go from a member: runbooks, its links, its client's page; those that lead to the web, each once."""
    notes = {**_annotations(member), **member.labels}
    runbooks = [(notes.get(name), name.removesuffix("_url")) for name in _RUNBOOKS]
    named = [(link.get("href"), link.get("text")) for link in member.links[: 4 * MOST_LINKS]]
    found: dict[str, str] = {}
    for href, text in (*runbooks, *named, (member.client_url, member.client)):
        address = web_address(href)
        if address:
            found.setdefault(address, cut_text(line(text), 80) if isinstance(text, str) else "")
    return [Facts(href=href, text=text) for href, text in list(found.items())[:MOST_LINKS]]


def _member(member: Member, now: datetime, common: Named, words: Words) -> Facts:
    state = _STATES[member.action]
    severity = member.severity if member.severity in SEVERITIES else "critical"
    summary, source = line(member.summary), line(member.source)
    return Facts(
        event_id=line(member.event_id),
        action=member.action,
        state=state,
        state_text=words.say(severity if state == "firing" else state),
        summary=summary or source or line(member.dedup_key),
        severity=severity,
        severity_text=words.say(severity),
        source=source,
        place="" if source.casefold() in summary.casefold() else cut_text(source, LONGEST_LABEL),
        service=line(member.service),
        dedup_key=line(member.dedup_key),
        at=iso(member.at),
        time=short(member.at, now),
        labels=labels(member.labels),
        extra_labels=telling_labels(member.labels, common),
        description=_description(member),
        links=[Facts(href=link["href"], text=link["text"] or words.say("link")) for link in links(member)],
        client=line(member.client),
        client_url=web_address(member.client_url),
        details=_Details().part(member.details),
    )


def _annotations(member: Member) -> dict[str, Any]:
    details = member.details if isinstance(member.details, dict) else {}
    annotations = details.get("annotations")
    return {**details, **annotations} if isinstance(annotations, dict) else details


def _description(member: Member) -> str:
    """What its sender says beyond the summary; with the line ends it has."""
    notes = _annotations(member)
    told = [notes[name].strip() for name in _DESCRIPTIONS if isinstance(notes.get(name), str)]
    return next((cut_text(text, LONGEST_DESCRIPTION) for text in told if text and text != member.summary.strip()), "")


def telling_labels(given: Mapping[str, str], said: Iterable[str] = ()) -> Named:
    """Labels that say something new."""
    told = {*_SAID, *said}
    found = labels({name: given[name] for name in sorted(given) if name not in told and given[name].strip()})
    return Named(list(found.items())[:MOST_EXTRA])


def _common_labels(bundle: Bundle, members: list[Member]) -> Named:
    """What the group has in common, and what else its members have."""
    shared = dict(members[0].labels) if len(members) > 1 else {}
    for member in members:
        shared = {name: value for name, value in shared.items() if member.labels.get(name) == value}
    return Named({**labels(bundle.group), **telling_labels(shared, bundle.group)})


class _Details:
    """Cuts what a sender may have sent to what a template may cost."""

    def __init__(self) -> None:
        self._left = MOST_DETAILS

    def part(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if isinstance(value, dict) and depth < DEEPEST:
            return Named(
                {cut_text(str(name), LONGEST_LABEL): self.part(value[name], depth + 1) for name in self._of(value)}
            )
        if isinstance(value, list | tuple) and depth < DEEPEST:
            return [self.part(item, depth + 1) for item in self._of(value)]
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return value if abs(value) < LARGEST else cut_text(str(value), 40)
        text = value if isinstance(value, str) else "…"
        return cut_text(text, LONGEST_DETAIL).encode("utf-8", "replace").decode()

    def _of(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            if self._left <= 0:
                return
            yield value


def _where(bundle: Bundle, members: list[Member]) -> str:
    common = dict.fromkeys(line(value) for value in bundle.group.values() if value.strip())
    sources = {line(member.source) for member in members if member.source.strip()}
    alone = sources.pop() if len(sources) == 1 else ""
    return cut_text(", ".join(common) or alone or line(bundle.service) or "?", LONGEST_TITLE)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


def _counts(facts: Facts, words: Words) -> str:
    numbers = {
        "count_firing": facts["open"],
        "count_acknowledged": facts["acknowledged"],
        "count_resolved": facts["resolved"],
        "count_came_and_went": facts["came_and_went"],
    }
    return ", ".join(words.say(name, number) for name, number in numbers.items() if number)


def _title(facts: Facts, words: Words) -> str:
    """What fires where, without how bad it is."""
    status, what, where = facts["status"], facts["what"], facts["where"]
    number = facts["resolved"] if status == "resolved" else facts["open"]
    about = {"where": where, "what": what}
    if status == "firing" and not what:
        title = words.say("many_left", number, **about)
        return words.say("note", title=title, note=words.say("count_resolved", facts["resolved"]))
    if status == "still_firing":
        title = words.say("many_still", number, **about)
        return f"{title} {words.say('since', time=facts['since'])}" if facts["since"] else title
    if not what:
        return words.say("many_still", number, **about) if number else where
    if number <= 1:
        return what if where.casefold() in what.casefold() else words.say("one", **about)
    if status != "firing":
        return words.say("many", number, **about)
    title = words.say("many_firing", number, **about)
    is_partly_new = 0 < facts["new"] < number
    return words.say("note", title=title, note=words.say("new", facts["new"])) if is_partly_new else title


def _mark(facts: Facts) -> str:
    """How bad it is, or what became of it."""
    told = {"firing": ["severity_text"], "still_firing": ["severity_text", "status_text"]}
    return ", ".join(facts[name].upper() for name in told.get(facts["status"], ["status_text"]))


def _subject(facts: Facts, words: Words) -> str:
    counted = facts["open"] if facts["status"] in ("firing", "still_firing") else 0
    about = {"service": facts["service"] or facts["where"], "what": facts["what"] or facts["where"]}
    name = "subject_counted" if counted else "subject"
    return words.say(name, counted or None, status=facts["status_text"].upper(), **about)
