"""Bringing back what was cleaned up: it stays for a week, then it goes again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tasks.logs.files import Files
from tasks.logs.models import Restored, Scope
from tasks.utils.error_handler import UnknownError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from tasks.logs.archives import Archives
    from tasks.logs.holds import Holds
    from tasks.logs.items import Item, Kind, Source
    from tasks.utils.clock import Clock

STAYS: Final = timedelta(days=7)


class Restores:
    """Puts the content of archives where it was."""

    def __init__(self, archives: Archives, sources: Sequence[Source], holds: Holds, clock: Clock) -> None:
        self._archives = archives
        self._sources = sources
        self._holds = holds
        self._clock = clock

    def restore(self, archive_id: str, author: str) -> Restored:
        """Bring one archive back; of chained records those after it, too, so that there is no gap. A hold keeps it for a week.

        UnknownError where there is no such archive; PermanentError where one cannot be read, or something else is in its place.
        """
        known = {view.id: view for view in self._archives.views()}
        wanted = known.get(archive_id)
        if wanted is None:
            raise UnknownError(f"there is no archive {archive_id!r}; `tocsin logs list` shows all there are")
        source = next(one for one in self._sources if one.kind == wanted.kind and one.has(wanted.name))
        chosen = {v.name: v for v in known.values() if v.kind == wanted.kind and source.needs(wanted.name, v.name)}
        ends_at = self._clock.now() + STAYS
        scope = Scope(
            kind=wanted.kind,
            since=min(view.first for view in chosen.values()),
            until=max(view.last for view in chosen.values()),
            ends_at=ends_at,
        )
        hold = self._holds.add(f"brought back from archive {archive_id}", author, scope)
        places = [self._archives.bring_back(view.id, source) for view in chosen.values()]
        return Restored(
            archives=[view.id for view in chosen.values()], places=places, hold=hold.id, stays_until=ends_at
        )


class BroughtBack(Files):
    """What was brought back into files, in the class it had and by the name it had: its archive is on the list already."""

    def __init__(self, kind: Kind, back: Path, clock: Clock) -> None:
        super().__init__(kind, back / kind, ("**/*",), back)
        self._clock = clock

    def items(self, before: datetime) -> Iterator[Item]:
        """What has been there for a week, and for as long as its class stays."""
        return super().items(min(before, self._clock.now() - STAYS))
