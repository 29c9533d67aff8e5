"""When Redis lost everything, and what the files outside know of the time before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.audit.epochs import EpochFile
from tasks.audit.judge import as_datetime
from tasks.audit.models import Loss
from tasks.audit.standing import read_standing
from tasks.utils.ledger import order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.audit.anchors import Anchors
    from tasks.audit.standing import Standing
    from tasks.audit.stories import Stories


class Losses:
    """Reads what the ledger says of losses, and the machine's own note, which is there before the ledger is sealed."""

    def __init__(self, folder: Path, anchors: Anchors) -> None:
        self._folder = folder
        self._file = EpochFile(folder)
        self._anchors = anchors

    def since(self, begun: int | None, stories: Stories) -> list[Loss]:
        """Every loss noticed at that time (ms) or later, oldest first; None means all there ever were."""
        noticed = {epoch.noticed: epoch.old for epoch in self._file.all() if epoch.old is not None}
        noticed |= {int(epoch): old for epoch, old in stories.losses.items()}
        return [self._loss(at, old) for at, old in sorted(noticed.items()) if begun is None or at >= begun]

    def unheard_of(self, losses: list[Loss], stories: Stories) -> Iterator[str]:
        """Events that stood among the pending ones, and that nothing else tells of."""
        if stories.is_whole:
            for standing in filter(None, (self._standing(loss.lost_epoch) for loss in losses)):
                yield from (event for event in standing.events if stories.is_unheard_of(event))

    def _loss(self, at: int, old: str) -> Loss:
        standing, anchor = self._standing(old), self._anchors.last_before(at)
        return Loss(
            noticed_at=as_datetime(at),
            lost_epoch=old,
            pending=standing.count if standing else None,
            counted_at=as_datetime(standing.at) if standing else None,
            rules=len(standing.rules) if standing else None,
            sealed_entries=anchor.head.number if anchor else 0,
            sealed_until=as_datetime(order(anchor.head.id)[0]) if anchor else None,
        )

    def _standing(self, epoch: str) -> Standing | None:
        return read_standing(self._folder, epoch) if epoch else None
