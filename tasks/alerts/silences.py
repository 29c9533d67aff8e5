"""Silences and own maintenance windows: create, list, expire, preview."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from config.encrypted_fields import hides
from config.errors import UnfitError
from config.matchers import Matcher
from tasks.alerts.holds import SilenceMatch
from tasks.alerts.models import Preview, Silence
from tasks.utils.act_context import about
from tasks.utils.error_handler import InvalidRuleError, UnknownError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tasks.alerts.current import CurrentAlerts
    from tasks.alerts.models import SilenceDraft
    from tasks.alerts.rule_store import RuleStore
    from tasks.utils.clock import Clock

LONGEST: Final = timedelta(days=365)
KEPT_AFTER_END: Final = timedelta(days=7)
MOST_SILENCES: Final = 1000
MOST_MATCHERS: Final = 50
SHOWN: Final = 20


class SilenceService:
    """What people do with silences. A silence holds triggers back; when it ends, what still fires is delivered."""

    def __init__(
        self,
        store: RuleStore,
        current: CurrentAlerts,
        clock: Clock,
        services: Collection[str],
        encrypted: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._store = store
        self._current = current
        self._clock = clock
        self._services = services
        self._encrypted = encrypted or {}  # the fields of services that rules cannot see

    def create(self, draft: SilenceDraft) -> Silence:
        """Put a silence in force. InvalidRuleError names everything that is wrong with the draft."""
        now = self._clock.now()
        kept = self._store.silences()
        old = [silence.id for silence in kept if now - silence.ends_at > KEPT_AFTER_END]
        faults = list(self._faults(draft, now))
        if not draft.comment.strip():
            faults.append("'comment' is missing: say why, whoever is on call next will read it")
        if not draft.author.strip():
            faults.append("'author' is missing: say who asks for it")
        if len(kept) - len(old) >= MOST_SILENCES:
            faults.append(f"there are {MOST_SILENCES} silences already; expire some, or use fewer and broader ones")
        if faults:
            raise InvalidRuleError(faults)
        begins, ends = _span(draft, now)
        silence = Silence(
            id=uuid.uuid4().hex[:12],
            kind=draft.kind,
            matchers=[str(Matcher.parse(text)) for text in draft.matchers],
            services=draft.services,
            starts_at=begins,
            ends_at=ends,
            author=draft.author.strip(),
            comment=draft.comment.strip(),
            created_at=now,
        )
        self._store.write(silence, forget=old)
        about(f"silence/{silence.id}")
        return _told(silence, now)

    def list(self, *, include_ended: bool = False) -> list[Silence]:
        """The silences, soonest to end first; those that have ended only if asked for."""
        now = self._clock.now()
        told = sorted((_told(silence, now) for silence in self._store.silences()), key=lambda each: each.ends_at)
        return [silence for silence in told if include_ended or silence.state != "ended"]

    def get(self, silence_id: str) -> Silence:
        """One silence by its id; UnknownError if there is none."""
        for silence in self.list(include_ended=True):
            if silence.id == silence_id:
                return silence
        raise UnknownError(f"there is no silence {silence_id!r}; `tocsin alerts silence list --all` lists them")

    def expire(self, silence_id: str, author: str) -> Silence:
        """End a silence now; what it held back and still fires is delivered. One that has ended stays as it is."""
        silence = self.get(silence_id)
        if silence.state == "ended":
            return silence
        now = self._clock.now()
        ended = silence.model_copy(
            update={"ends_at": now, "starts_at": min(silence.starts_at, now), "expired_by": author.strip()}
        )
        self._store.write(ended)
        return _told(ended, now)

    def preview(self, draft: SilenceDraft) -> Preview:
        """Which alerts that are open now a silence would match. InvalidRuleError as for `create`."""
        faults = list(self._faults(draft, self._clock.now(), needs_span=False))
        if faults:
            raise InvalidRuleError(faults)
        match = SilenceMatch(draft.matchers, draft.services)
        found = [alert for alert in self._current.unresolved() if match.matches(alert.labels)]
        return Preview(total=len(found), alerts=found[:SHOWN])

    def _faults(self, draft: SilenceDraft, now: datetime, *, needs_span: bool = True) -> Iterator[str]:
        if not draft.services and all(map(_fits_all, draft.matchers)):
            yield "it would silence everything: give a matcher, such as severity=~warning|info, or a service"
        if len(draft.matchers) > MOST_MATCHERS:
            yield f"it has {len(draft.matchers)} matchers, {MOST_MATCHERS} are the most; a regular expression may say several"
        yield from _faults_of_matchers(draft.matchers)
        yield from self._blind(draft)
        for service in draft.services:
            if service not in self._services:
                yield f"there is no service {service!r}; known: {', '.join(sorted(self._services))}"
        if needs_span:
            yield from _faults_of_span(draft, now)

    def _blind(self, draft: SilenceDraft) -> Iterator[str]:
        """Matchers on labels that every service concerned keeps encrypted: they would never fit."""
        concerned = draft.services or list(self._services)
        for text in draft.matchers:
            label = re.split("[=!~]", text, maxsplit=1)[0].strip()
            if concerned and all(hides(self._encrypted.get(name, ()), label) for name in concerned):
                yield f"nobody can see the label {label!r}: it is encrypted (encrypt_fields); match another label"


def _fits_all(matcher: str) -> bool:
    """Whether it holds for every alert, with and without the label."""
    return matcher.partition("=~")[2].strip().strip('"') in (".*", "(.*)", "^.*$")


def _faults_of_matchers(matchers: list[str]) -> Iterator[str]:
    for text in matchers:
        try:
            Matcher.parse(text)
        except UnfitError as error:
            yield f"{error}; {error.mend}"


def _faults_of_span(draft: SilenceDraft, now: datetime) -> Iterator[str]:
    if (draft.ends_at is None) == (draft.duration_seconds is None):
        yield "say when it ends: either 'ends_at' or 'duration_seconds'"
        return
    try:
        begins, ends = _span(draft, now)
    except OverflowError:
        yield "it ends too far in the future; a year from now is the most"
        return
    if ends <= now:
        yield "it has ended already; give a later end"
    elif ends <= begins:
        yield "it ends before it begins; give a later end"
    elif ends - now > LONGEST:
        yield "it ends more than a year from now; alerts that never matter are better left out by a route, or at their source"


def _span(draft: SilenceDraft, now: datetime) -> tuple[datetime, datetime]:
    begins = draft.starts_at.astimezone(UTC) if draft.starts_at else now
    if draft.ends_at:
        return begins, draft.ends_at.astimezone(UTC)
    return begins, begins + timedelta(seconds=draft.duration_seconds or 0)


def _told(silence: Silence, now: datetime) -> Silence:
    state = "pending" if now < silence.starts_at else "active" if now < silence.ends_at else "ended"
    return silence.model_copy(update={"state": state})
