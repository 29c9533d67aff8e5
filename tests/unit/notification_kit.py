"""Bundles as the groups of a night make them, and a builder on a folder of templates."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tasks.utils.bundles import Bundle, Member
from tasks.utils.notification_builder import NotificationBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.bundles import Notice
    from tasks.utils.template_errors import BrokenTemplateError
    from tasks.utils.template_meter import Limits

NOW = datetime(2026, 1, 31, 3, 12, tzinfo=UTC)
WORDY = ("slack", "teams", "email", "webhook")


def member(number: int = 1, action: Any = "trigger", **fields: Any) -> Member:
    """One piece of news, `number` minutes after three."""
    given: dict[str, Any] = {
        "event_id": f"event-{number}",
        "action": action,
        "summary": f"disk {number} full",
        "severity": "error",
        "source": f"db{number}",
        "service": "checkout",
        "dedup_key": f"disk-{number}",
        "at": NOW.replace(minute=0) + timedelta(minutes=number),
    }
    return Member(**{**given, **fields})


def bundle(*members: Member, **fields: Any) -> Bundle:
    """News of the group web1, eu of the service checkout."""
    given: dict[str, Any] = {
        "id": "bundle-1-7",
        "service": "checkout",
        "destination": "checkout/chat",
        "channel": "chat",
        "group": {"host": "web1", "region": "eu"},
        "dedup_key": "tocsin-group-1",
        "members": list(members),
        "open": sum(one.action != "resolve" for one in members),
        "severity": "critical",
        "at": NOW,
    }
    return Bundle(**{**given, **fields})


def growing() -> Bundle:
    """Five alerts fire, three of them new; two others are over, one came and went."""
    news = [member(number, severity="critical" if number == 2 else "warning") for number in (1, 2, 3)]
    over = [member(number, "resolve") for number in (4, 5)]
    return bundle(*news, *over, open=5, came_and_went=1)


def single(**fields: Any) -> Bundle:
    """One alert that belongs to no group."""
    return bundle(member(1, **fields), group={}, dedup_key="disk-1", open=1)


def reminder() -> Bundle:
    """Five alerts go on firing, and there is no news."""
    return bundle(open=5, is_reminder=True, since=NOW - timedelta(hours=4))


def resolved() -> Bundle:
    """The last two alerts of a group are over."""
    return bundle(member(1, "resolve"), member(2, "resolve"), action="resolve", open=0)


def acknowledged() -> Bundle:
    """Somebody took all three."""
    return bundle(*(member(number, "acknowledge") for number in (1, 2, 3)), action="acknowledge")


class Templates:
    """A folder of the user's templates, and what was reported of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reported: list[BrokenTemplateError] = []
        self._writes = 0
        self._builder = self.builder()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        self._writes += 1
        os.utime(path, ns=(self._writes, self._writes))  # so that two writes within a tick of the disk's clock differ
        return path

    def builder(self, limits: Limits | None = None) -> NotificationBuilder:
        return NotificationBuilder(self.folder, report=self.reported.append, limits=limits)

    def text(self, template: str, about: Bundle | None = None, kind: str = "webhook") -> str:
        """What a template makes of a bundle; fails if it is broken."""
        notice = self.notice(template, about, kind)
        assert notice.fell_back == ""
        return notice.text.removesuffix("\n")

    def notice(self, template: str, about: Bundle | None = None, kind: str = "webhook") -> Notice:
        self.write("tried.j2", template)
        return self.named("tried", about, kind)

    def named(self, name: str, about: Bundle | None = None, kind: str = "webhook") -> Notice:
        """A notice by the template of that name, always of the same builder."""
        return self._builder.notice(kind, growing() if about is None else about, template=name)
