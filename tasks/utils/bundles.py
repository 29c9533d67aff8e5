"""What a notification is about: the alerts one message tells of, and the words made of them for one medium."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from typing import Any, Literal

from pydantic import BaseModel, Field

Action = Literal["trigger", "acknowledge", "resolve"]


class Member(BaseModel):
    """One piece of news in a bundle: an alert fired, was acknowledged or resolved."""

    event_id: str = Field(description="The accepted event; `tocsin alerts trail` tells its story.")
    action: Action
    summary: str = ""
    severity: str = Field("info", description="critical, error, warning or info.")
    source: str = ""
    service: str = ""
    dedup_key: str = ""
    at: datetime = Field(description="When Tocsin received it.")
    labels: dict[str, str] = Field(default_factory=dict)
    links: list[dict[str, Any]] = Field(default_factory=list, description='As in Events v2: `{"href", "text"}`.')
    client: str = ""
    client_url: str = ""
    details: Any = Field(None, description="The event's custom_details, as they came.")


class Outage(BaseModel):
    """What did not answer, so that its news is told elsewhere."""

    name: str = Field(description="As people call it, such as PagerDuty.")
    since: datetime
    is_forced: bool = Field(default=False, description="Somebody has switched it off.")
    is_silent: bool = Field(default=False, description="It answers, took the news, and shows no incident of it.")


class Bundle(BaseModel):
    """One message's worth of news of one group. Sealed: every try sends the same news under the same id."""

    id: str = Field(description="The same on every try, so that a receiver can tell a repeat.")
    service: str = ""
    destination: str = Field("", description="SERVICE or SERVICE/CHANNEL.")
    channel: str = Field("", description="Name of the channel it goes to.")
    group: dict[str, str] = Field(default_factory=dict, description="What all of its alerts have in common.")
    dedup_key: str = Field("", description="The group's own key, where the other side keeps one alert per group.")
    action: Action = Field("trigger", description="What became of the group as a whole.")
    members: list[Member] = Field(default_factory=list, description="The news, oldest first; none in a reminder.")
    open: int = Field(0, ge=0, description="Alerts of the group that fire or are acknowledged now.")
    came_and_went: int = Field(0, ge=0, description="Alerts that resolved before anything was said of them.")
    is_reminder: bool = Field(default=False, description="No news: the group still fires.")
    severity: str = Field("info", description="The worst among the members.")
    at: datetime = Field(description="When the bundle was sealed.")
    outage: Outage | None = Field(None, description="Why it is told here and not where it should be.")
    since: datetime | None = Field(None, description="Since when the group fires without a break, where that is known.")


@dataclass(frozen=True)
class Notice:
    """A bundle in words for one medium."""

    subject: str  # one line of plain text: mail subject, title of a card
    text: str  # the body in the medium's own markup: plain text, Slack's mrkdwn, Markdown for Teams
    html: str = ""  # the same as an HTML document, for mail
    document: dict[str, Any] = field(default_factory=dict)  # the same as JSON, for webhooks
    fell_back: str = ""  # why the plain default was used in place of a template; "" where none was broken
