"""How an alert stands in Redis: what is open, and which rules are in force. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.alerts.explanation import RuleLook
from tasks.alerts.holds import hold_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.alerts.holds import Rule, RuleBook
    from tasks.alerts.models import Silence
    from tasks.alerts.rule_store import RuleStore
    from tasks.utils.keys import Keys

FIELDS: Final = ("status", "last_id", "last_sign", "last_at", "routes", "flapping")
ON: Final = "on:"


class Place(NamedTuple):
    """A channel, and the id of the key with which an alert was sent there."""

    channel: str
    key_id: str


@dataclass(frozen=True)
class Standing:
    """One alert as it stands; nothing is known of one that never came."""

    status: str = ""
    last_id: str = ""
    last_sign: str = ""
    last_at: int = 0  # ms
    open_at: Mapping[str, Sequence[Place]] = field(default_factory=dict)  # destination -> places that may hold it open
    is_flapping: bool = False
    rules: tuple[RuleLook, ...] = ()


class Standings:
    """Looks alerts up."""

    def __init__(self, client: Any, keys: Keys, store: RuleStore) -> None:
        self._client = client
        self._keys = keys
        self._store = store

    def snapshot(self) -> Snapshot:
        """The rules as they are now, to look many alerts up with."""
        silences = {hold_name(silence): silence for silence in self._store.silences()}
        return Snapshot(self._client, self._keys, self._store.refresh(), silences)


class Snapshot:
    """Looks alerts up by the rules of one moment."""

    def __init__(self, client: Any, keys: Keys, book: RuleBook, silences: Mapping[str, Silence]) -> None:
        self._client = client
        self._keys = keys
        self._book = book
        self._silences = silences

    def of(self, uid: str, service: str, labels: Mapping[str, str], now: datetime) -> Standing:
        """How the alert with this uid stands, and which rules match these labels, in the order they are asked."""
        known = dict(zip(FIELDS, self._client.hmget(self._keys.alert(uid), FIELDS), strict=True))
        looks = [self._look(rule, uid, now) for rule in self._book.rules_for(labels)]
        return Standing(
            status=known["status"] or "",
            last_id=known["last_id"] or "",
            last_sign=known["last_sign"] or "",
            last_at=int(known["last_at"] or 0),
            open_at={to: self._places(place) for to, place in _destinations(known["routes"], service, uid)},
            is_flapping=known["flapping"] == "1",
            rules=tuple(looks),
        )

    def _places(self, uid: str) -> list[Place]:
        fields: list[str] = sorted(self._client.hkeys(self._keys.alert(uid)))
        parts = [name.removeprefix(ON).rpartition("|") for name in fields if name.startswith(ON)]
        return [Place(channel, key_id) for channel, _, key_id in parts]

    def _look(self, rule: Rule, uid: str, now: datetime) -> RuleLook:
        if rule.begins is None or rule.ends is None:
            feeding = self._client.smembers(self._keys.inhibitors(rule.hold)) - {uid}
            about = f"{len(feeding)} open {'alert' if len(feeding) == 1 else 'alerts'} hold it back" if feeding else ""
            return RuleLook(rule=rule.name, in_force=bool(feeding), about=about)
        in_force = rule.begins <= now.timestamp() * 1000 < rule.ends
        return RuleLook(rule=rule.name, in_force=in_force, about=_about(self._silences.get(rule.name)))


def _destinations(routes: str | None, service: str, uid: str) -> list[tuple[str, str]]:
    """Where the open episode went, with the uid its state goes by there: see lua/accept.lua."""
    lines = (routes or f"{service} {uid}").splitlines()
    return [(to, place) for to, _, place in (line.partition(" ") for line in lines)]


def _about(silence: Silence | None) -> str:
    if silence is None:
        return ""
    begins, ends = (f"{time.astimezone(UTC):%Y-%m-%d %H:%M}" for time in (silence.starts_at, silence.ends_at))
    return f"{begins} to {ends} UTC, by {silence.author}: {silence.comment}"
