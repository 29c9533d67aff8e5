"""REST keys that a person has replaced: whether PagerDuty takes them, whether something is changed with them, and a reminder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.tokens.rotation.progress import words
from tasks.utils.error_handler import TocsinError
from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tasks.utils.rest.key_board import FormerKey, FormerKeys

LONGEST: Final = timedelta(days=30)  # that PagerDuty lets records be asked for at once
DUE_AFTER_MS: Final = 24 * 3_600_000
MEND: Final = "delete it in PagerDuty (Integrations, API Access Keys), then `tocsin tokens gone {id}`"
STILL: Final = "find who still uses it, for it is no process of Tocsin that has the new one; then "


class FormerKeyCheck:
    """Looks after former REST keys.

    `records`: PagerDuty's audit records of changes made with a key of these last characters since a moment, the newest first.
    `taken`: whether PagerDuty takes a key of that id, None where this process does not have it.
    """

    def __init__(
        self,
        known: FormerKeys,
        records: Callable[[str, datetime], Iterable[dict[str, Any]]],
        taken: Callable[[str], bool | None],
        now_ms: Callable[[], int],
    ) -> None:
        self._known = known
        self._records = records
        self._taken = taken
        self._now_ms = now_ms

    def look(self) -> list[Line]:
        """Ask PagerDuty, and say how they stand; nothing where there is none."""
        for row in self._known.all():
            self._known.put(self._with_changes(self._with_life(row)))
        found = self._known.all()
        return [former_line(found, self._now_ms())] if found else []

    def _with_life(self, row: FormerKey) -> FormerKey:
        """Whether it is taken; a key that is refused is forgotten by whoever has it."""
        is_taken = self._taken(row.id)
        return row.model_copy(update={"taken": self._now_ms()}) if is_taken else row

    def _with_changes(self, row: FormerKey) -> FormerKey:
        now = self._now_ms()
        since = datetime.fromtimestamp(max(row.replaced, now - LONGEST // timedelta(milliseconds=1)) / 1000, UTC)
        try:
            newest = next(iter(self._records(row.tail, since)), None)
        except TocsinError as error:
            return row.model_copy(update={"looked": now, "unknown": str(error)})
        if newest is None:
            return row.model_copy(update={"looked": now, "unknown": ""})
        at = round(datetime.fromisoformat(newest["execution_time"]).timestamp() * 1000)
        root = newest.get("root_resource") or {}
        change = (
            f"{newest.get('action')} {root.get('type', '').removesuffix('_reference')} {root.get('id', '')}".strip()
        )
        return row.model_copy(update={"looked": now, "changed": at, "change": change, "unknown": ""})


def former_line(rows: Sequence[FormerKey], now_ms: int) -> Line:
    """A reminder to delete them."""
    mends = [(STILL if one.changed else "") + MEND.format(id=one.id) for one in rows]
    told = "; ".join(former_words(one, now_ms) for one in rows)
    return Line("tokens.former", "warn", told, "deleted at PagerDuty", "; ".join(mends))


def former_words(row: FormerKey, now_ms: int) -> str:
    """What is known of one."""
    told = [f"REST key {row.id} (…{row.tail}), replaced {words(now_ms - row.replaced)} ago"]
    if row.taken:
        told.append(f"PagerDuty took it {words(now_ms - row.taken)} ago")
    if row.changed:
        told.append(f"something was changed with it {words(now_ms - row.changed)} ago: {row.change}")
    elif row.unknown:
        told.append(f"whether it is used cannot be known: {row.unknown}")
    elif not row.looked:
        told.append("whether it is used is looked at by `tocsin health --full-check`")
    else:
        told.append("nothing was changed with it since; whether it is read with, PagerDuty does not tell")
    return ", ".join(told)


def former_due(rows: Sequence[FormerKey], now_ms: int) -> dict[str, str]:
    """Those that ought to be deleted by now, for Tocsin's own alerts."""
    late = [one for one in rows if now_ms - one.replaced > DUE_AFTER_MS]
    return {"former REST": "; ".join(former_words(one, now_ms) for one in late)} if late else {}
