"""`tocsin notifications preview`: a message as it would be sent, made of alerts or of a bundle in a file."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import ValidationError

from tasks.alerts.labels import labels_of
from tasks.utils.bundles import Bundle, Member
from tasks.utils.notification_builder import EVENT_KIND, KINDS, NotificationBuilder
from tasks.utils.validators import SEVERITIES
from workers.cli.alert_input import Flags, checked, from_file
from workers.cli.connection import current_settings
from workers.cli.output import CliError, ExitCode, answer, answer_json, say
from workers.cli.task_names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from config.models import Settings
    from tasks.utils.bundles import Notice
    from tasks.utils.template_errors import BrokenTemplateError

OF_BUNDLES: Final = {"members", "is_reminder", "came_and_went"}  # no alert has these
NO_FLAGS: Final = Flags(None, "critical", None, None, "trigger")


class Way(NamedTuple):
    """How it is to be said."""

    kind: str
    locale: str
    template: str


class Wish(NamedTuple):
    """What the flags ask for; None where they say nothing."""

    channel: str
    locale: str | None
    template: str | None
    service: str | None


def preview(file: str, wish: Wish, html: Path | None, *, as_json: bool) -> None:
    """Print the message; exit code 3 where a template was broken and the plain default took its place."""
    settings = current_settings()
    way = _way(settings, wish)
    if html is not None and way.kind != "email":
        raise CliError("--html is for mails: only they have an HTML form. Say --channel email.", ExitCode.USAGE)
    bundle = _bundle(settings, from_file(file, NO_FLAGS), wish)
    found: list[BrokenTemplateError] = []
    builder = NotificationBuilder(settings.config_dir / "templates", report=found.append)
    if way.kind == EVENT_KIND:
        answer_json(builder.event(bundle, locale=way.locale, template=way.template))
    else:
        _show(builder.notice(way.kind, bundle, locale=way.locale, template=way.template), html, as_json=as_json)
    for error in found:
        say(f"{error}; mend: {error.mend}")
    if found:
        say("People would have read the plain default, with a note at its foot.")
        raise SystemExit(ExitCode.DEGRADED)


def _show(notice: Notice, html: Path | None, *, as_json: bool) -> None:
    if as_json:
        answer_json(dataclasses.asdict(notice))
    else:
        answer(f"Subject: {notice.subject}\n\n{notice.text.rstrip()}")
    if html is not None:
        if not notice.html:
            say("There is no HTML: the template has a text of its own, and none for HTML beside it.")
            return
        html.write_text(notice.html, "utf-8")
        say(f"HTML written to {html}")


def _way(settings: Settings, wish: Wish) -> Way:
    """The kind that was named, or that of a channel of the service by its name, with its language and template."""
    if wish.channel in KINDS:
        return Way(wish.channel, wish.locale or "en", wish.template or "")
    service = settings.services.get(wish.service or settings.default_service)
    channels = {channel.name: channel for channel in service.channels} if service else {}
    if wish.channel not in channels:
        known = f"known: {', '.join((*KINDS, *channels))}."
        meant = did_you_mean(wish.channel, [*KINDS, *channels])
        raise CliError(f"There is no kind or channel {wish.channel!r}; {known}{meant}", ExitCode.USAGE)
    channel = channels[wish.channel]
    template = channel.template if wish.template is None else wish.template
    return Way(channel.kind, wish.locale or channel.locale, template or "")


def _bundle(settings: Settings, documents: list[Any], wish: Wish) -> Bundle:
    if len(documents) == 1 and isinstance(documents[0], dict) and not documents[0].keys().isdisjoint(OF_BUNDLES):
        return _given(documents[0])
    alerts, notes = checked([_with_service(document, settings, wish) for document in documents], wish.service)
    for note in notes:
        say(f"mended: {note}")
    if any(alert["event_action"] == "change" for alert in alerts):
        raise CliError("A change event tells of no alert: nobody gets a notification of it.", ExitCode.USAGE)
    return _gathered(settings, [_member(alert, number) for number, alert in enumerate(alerts, 1)], wish)


def _given(document: Mapping[str, Any]) -> Bundle:
    try:
        return Bundle.model_validate({"id": "preview", "at": datetime.now(UTC), **document})
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_url=False)]
        hint = "docs/notifications.md says what a bundle holds; an Events v2 alert or a list of them will do, too."
        raise CliError("\n".join([*faults, hint]), ExitCode.USAGE) from error


def _with_service(document: Any, settings: Settings, wish: Wish) -> Any:
    if wish.service or not isinstance(document, dict) or "service" in document or "routing_key" in document:
        return document
    return {**document, "service": settings.default_service}


def _member(alert: Mapping[str, Any], number: int) -> Member:
    payload = alert.get("payload") or {}
    return Member(
        event_id=f"preview-{number}",
        action=alert["event_action"],
        summary=payload.get("summary", ""),
        severity=payload.get("severity", "info"),
        source=payload.get("source", ""),
        service=alert["service"],
        dedup_key=alert.get("dedup_key") or f"preview-{number}",
        at=datetime.now(UTC),
        labels=labels_of(alert),
        links=alert.get("links") or [],
        client=alert.get("client") or "",
        client_url=alert.get("client_url") or "",
        details=payload.get("custom_details"),
    )


def _gathered(settings: Settings, members: list[Member], wish: Wish) -> Bundle:
    """The alerts as one group of their service."""
    latest = {member.dedup_key: member.action for member in members}
    firing = [member for member in members if latest[member.dedup_key] != "resolve"] or members
    actions = set(latest.values())
    first = members[0]
    service = settings.services.get(first.service)
    together = [name for name in (service.group_by if service else None) or () if name in first.labels]
    return Bundle(
        id="preview",
        service=first.service,
        destination=f"{first.service}/{wish.channel}",
        channel=wish.channel,
        group={name: first.labels[name] for name in together},
        dedup_key=first.dedup_key if len(latest) == 1 else "preview",
        action=actions.pop() if len(actions) == 1 else "trigger",
        members=members,
        open=sum(action != "resolve" for action in latest.values()),
        severity=min((member.severity for member in firing), key=SEVERITIES.index),
        at=max(member.at for member in members),
    )
