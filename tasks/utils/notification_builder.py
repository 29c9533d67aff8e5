"""The words of notifications: a bundle in the words of one kind of channel, by templates that cannot lose a page.

Three layers, each the fall-back of the one before: the user's template, the one that comes with Tocsin, plain lines made here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.bundles import Bundle, Notice
from tasks.utils.formatters import cut_text
from tasks.utils.notification_document import document
from tasks.utils.notification_event import MOST_SUMMARY_CHARACTERS, event
from tasks.utils.notification_facts import facts_of
from tasks.utils.notification_media import HTML, JSON, MARKDOWN, MRKDWN, PLAIN, Medium
from tasks.utils.notification_plain import plain_text, with_note
from tasks.utils.notification_words import Words
from tasks.utils.template_errors import BrokenTemplateError, broken
from tasks.utils.template_files import ENDING, SHIPPED_PREFIX, Shelf
from tasks.utils.template_meter import Limits
from tasks.utils.template_sandbox import FUNCTIONS, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tasks.utils.template_values import Facts

MOST_SUBJECT_CHARACTERS: Final = 250
EVENT_KIND: Final = "pagerduty"
_BLANKS: Final = re.compile(r"[ \t\r\n\f\v]+")  # no others: French has a hard blank before a colon
_BLANK_LINES: Final = re.compile(r"\n(?:[ \t]*\n){2,}")


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a notification: its file is `KIND` and this suffix."""

    suffix: str
    medium: Medium


SUBJECT: Final = Part(".subject", PLAIN)
DOCUMENT: Final = Part(".json", JSON)
HTML_BODY: Final = Part(".html", HTML)
TEXT: Final[Mapping[str, Part]] = {
    "slack": Part("", MRKDWN),
    "teams": Part("", MARKDOWN),
    "email": Part("", PLAIN),
    "webhook": Part("", PLAIN),
    EVENT_KIND: Part("", PLAIN),
}
KINDS: Final = tuple(TEXT)


def parts_of(kind: str) -> tuple[Part, ...]:
    """The texts a notification of that kind can consist of."""
    more = {"email": (SUBJECT, HTML_BODY), "webhook": (SUBJECT, DOCUMENT), EVENT_KIND: ()}.get(kind, (SUBJECT,))
    return (TEXT[kind], *more)


class NotificationBuilder:
    """Makes notices of bundles. Safe to use from several threads; a template that is edited counts from the next notice on.

    `overrides` is the folder of the user's templates. `report` is told of every broken template.
    """

    def __init__(
        self,
        overrides: Path | None = None,
        *,
        report: Callable[[BrokenTemplateError], object] = lambda _: None,
        limits: Limits | None = None,
    ) -> None:
        limits = limits or Limits()
        self._shelf = Shelf(overrides, limits.source_bytes)
        self._sandboxes = {
            medium.name: Sandbox(self._shelf, medium, limits) for medium in (PLAIN, HTML, MRKDWN, MARKDOWN, JSON)
        }
        self._report = report

    def notice(self, kind: str, bundle: Bundle, *, locale: str = "en", template: str = "") -> Notice:
        """The bundle in the words of `slack`, `teams`, `email` or `webhook`; never fails for what a template does."""
        writing = _Writing(self._shelf, self._sandboxes, kind, template, Words(locale), bundle)
        subject = one_line(writing.part(SUBJECT))
        text, html, whole = writing.part(TEXT[kind]), "", {}
        if kind == "email" and writing.wants_html:
            html = writing.part(HTML_BODY)
        if kind == "webhook":
            whole = writing.document(subject, text)
        self._tell(writing)
        medium = TEXT[kind].medium
        note = writing.note
        return Notice(
            subject=cut_text(subject, MOST_SUBJECT_CHARACTERS),
            text=with_note(text, note, medium),
            html=with_note(html, note, HTML),
            document={**whole, "note": note} if whole and note else whole,
            fell_back=writing.fell_back,
        )

    def event(self, bundle: Bundle, *, locale: str = "en", template: str = "") -> dict[str, Any]:
        """The bundle as one growing alert of PagerDuty: an Events v2 body without its routing key."""
        writing = _Writing(self._shelf, self._sandboxes, EVENT_KIND, template, Words(locale), bundle)
        summary = cut_text(one_line(writing.part(TEXT[EVENT_KIND])), MOST_SUMMARY_CHARACTERS)
        self._tell(writing)
        return event(bundle, writing.facts, summary, writing.note)

    def _tell(self, writing: _Writing) -> None:
        for error in writing.broken:
            self._report(error)


class _Writing:
    """One notification being written: what it says, and what was broken on the way."""

    def __init__(
        self,
        shelf: Shelf,
        sandboxes: Mapping[str, Sandbox],
        kind: str,
        template: str,
        words: Words,
        bundle: Bundle,
    ) -> None:
        self.broken: list[BrokenTemplateError] = []
        self.facts: Facts = facts_of(bundle, words)
        self._bundle = bundle
        self._shelf = shelf
        self._sandboxes = sandboxes
        self._kind = kind
        self._words = words
        self._own = template.removesuffix(ENDING)
        if self._own and not any(self._find(self._own, part) for part in parts_of(kind)):
            what = f"there is no template {self._own}{ENDING}"
            self.broken.append(BrokenTemplateError(self._own, what, mend="write it, or name another in `template`"))

    @property
    def fell_back(self) -> str:
        """Why a default was used; '' where none was broken."""
        return "; ".join(dict.fromkeys(error.reason for error in self.broken))

    @property
    def note(self) -> str:
        """The same in words for whoever reads the notification."""
        if not self.broken:
            return ""
        first = self.broken[0]
        return self._words.say("broken", name=first.place, why=first.what)

    @property
    def wants_html(self) -> bool:
        """Whether the HTML says what the text says: a text of the user's is not accompanied by one of ours."""
        return self._is_own(HTML_BODY) or not self._is_own(TEXT[self._kind])

    def part(self, part: Part) -> str:
        """One text of the notification, by the first template for it that works."""
        for name in self._candidates(part):
            try:
                return self._written(name, part)
            except BrokenTemplateError as error:
                self.broken.append(error)
        if part is SUBJECT or self._kind == EVENT_KIND:
            return part.medium.escape(self.facts["headline" if part is SUBJECT else "title"])
        return plain_text(self.facts, part.medium)

    def document(self, subject: str, text: str) -> dict[str, Any]:
        """The JSON document: the user's own, or that of docs/notifications.md."""
        name = self._chosen(DOCUMENT)
        try:
            if name:
                return self._parsed(name)
        except BrokenTemplateError as error:
            self.broken.append(error)
        return document(self._bundle, self.facts, subject, text)

    def _parsed(self, name: str) -> dict[str, Any]:
        text = self._written(name, DOCUMENT)
        try:
            parsed = json.loads(text)
        except ValueError as error:
            raise self._useless(name, f"it makes no JSON: {error}") from error
        if not isinstance(parsed, dict):
            raise self._useless(name, "it makes JSON, but no object {…}")
        return parsed

    def _written(self, name: str, part: Part) -> str:
        try:
            text = self._sandboxes[part.medium.name].write(name, self.facts, self._words)
        except Exception as error:  # a template may raise whatever there is; the page goes out all the same
            raise broken(error, name, [*self.facts, *FUNCTIONS]) from error
        if not text.strip():
            raise self._useless(name, "it makes no text at all")
        return _BLANK_LINES.sub("\n\n", text.strip()) + "\n"

    def _useless(self, name: str, what: str) -> BrokenTemplateError:
        return BrokenTemplateError(name, what, path=str(self._shelf.find(name)))

    def _candidates(self, part: Part) -> Iterator[str]:
        chosen = self._chosen(part)
        shipped = f"{SHIPPED_PREFIX}{self._kind}{part.suffix}{ENDING}"
        if chosen:
            yield chosen
        if chosen is None or self._shelf.is_own(chosen):
            yield shipped

    def _chosen(self, part: Part) -> str | None:
        return (self._own and self._find(self._own, part)) or self._find(self._kind, part)

    def _find(self, stem: str, part: Part) -> str | None:
        names = (f"{stem}{part.suffix}.{self._words.locale}{ENDING}", f"{stem}{part.suffix}{ENDING}")
        return next((name for name in names if self._shelf.find(name)), None)

    def _is_own(self, part: Part) -> bool:
        chosen = self._chosen(part)
        return chosen is not None and self._shelf.is_own(chosen)


def one_line(text: str) -> str:
    """A text without line ends."""
    return _BLANKS.sub(" ", text).strip()
