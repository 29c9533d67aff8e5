"""Which acts are wanted; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from tasks.audit.archive import day_of
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from tasks.audit.act_models import ActView
    from tasks.utils.ledger import Entry


OUTCOMES: Final = ("ok", "failed", "denied", "begun")


@dataclass(frozen=True)
class ActFilter:
    """All of these must fit; what is empty fits everything. Texts are patterns as of a shell: `tokens.*`, `backup/*`.

    `actor` is compared with the name, and with `<kind>/<name>`. `since` and `until` are milliseconds; an act counts by its end.
    """

    since: int | None = None
    until: int | None = None
    actor: str = ""
    action: str = ""
    object: str = ""
    outcome: str = ""

    @property
    def first_day(self) -> str:
        """The first file that may hold one: a file's name is never before the days of its entries."""
        return "" if self.since is None else day_of(max(0, self.since))

    def may_fit(self, entry: Entry) -> bool:
        """Whether it is worth taking the entry apart; an entry that says only that an act begins is no reason yet."""
        return (self.since is None or entry.at >= self.since) and (self.until is None or entry.at <= self.until)

    def fits(self, act: ActView) -> bool:
        """Whether the act is wanted, its time aside."""
        return (
            (not self.outcome or act.outcome == self.outcome)
            and (not self.action or fnmatchcase(act.action, self.action))
            and (not self.object or fnmatchcase(act.object, self.object))
            and (
                not self.actor
                or fnmatchcase(act.actor, self.actor)
                or fnmatchcase(f"{act.actor_kind}/{act.actor}", self.actor)
            )
        )


def filter_of(
    since: str | datetime | None = None, until: str | datetime | None = None, outcome: str = "", **patterns: Any
) -> ActFilter:
    """The filter that a task's or a request's arguments ask for. PermanentError says what is wrong with them."""
    unknown = sorted(set(patterns) - {"actor", "action", "object"})
    if unknown:
        raise PermanentError(
            f"there is no filter {unknown[0]!r}; there are since, until, actor, action, object, outcome"
        )
    if outcome and outcome not in OUTCOMES:
        raise PermanentError(f"there is no outcome {outcome!r}; there are {', '.join(OUTCOMES)}")
    texts = {name: str(value) for name, value in patterns.items() if value}
    return ActFilter(since=_moment("since", since), until=_moment("until", until), outcome=outcome, **texts)


def _moment(name: str, given: str | datetime | None) -> int | None:
    if given is None or given == "":
        return None
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(given)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise PermanentError(f"{name!r} is no ISO time such as 2026-11-27T04:00:00Z") from None
