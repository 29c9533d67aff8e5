"""Which acts are wanted; pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tasks.audit.archive import day_of

if TYPE_CHECKING:
    from tasks.audit.act_models import ActView
    from tasks.utils.ledger import Entry


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
        return "" if self.since is None else day_of(self.since)

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
