"""Sealing: takes new ledger entries out of Redis's sole keeping into the chained, anchored archive."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from tasks.audit.models import SealReport
from tasks.audit.position import Position, Sealed, position, sealed_in_redis
from tasks.utils.clock import Clock
from tasks.utils.ledger import Ledger, order
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from tasks.audit.anchors import Anchors
    from tasks.audit.archive import Archive
    from tasks.audit.chain import Head
    from tasks.utils.keys import Keys

BUSY: Final = SealReport(busy=True)


class Sealer:
    """Seals in batches, one caller at a time: a lease in Redis among machines, a file lock within one.

    The order of a batch is archive, anchor, note in Redis. A crash in between leaves Redis behind the files, never
    ahead, and the next sealing goes on from the files: nothing is written twice, nothing is left out.

    `ask` looks whether Redis lost everything, and tells it. It is called once the lease is had, and what was read is written only while the
    lease is still there: so nothing of a new data set is sealed before the loss of the former one is noticed, and the newest anchor before
    that moment says how far the lost one was sealed.
    """

    def __init__(
        self,
        client: Any,
        keys: Keys,
        archive: Archive,
        anchors: Anchors,
        lease: timedelta,
        ask: Callable[[], object] = lambda: None,
    ) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._ledger = Ledger(client, keys)
        self._archive = archive
        self._anchors = anchors
        self._clock = Clock(client, keys)
        self._lease_ms = milliseconds(lease)
        self._ask = ask

    def seal(self, batch: int) -> SealReport:
        """Seal everything that was in the ledger when this began, `batch` entries under one anchor."""
        with self._archive.alone() as is_alone:
            token = uuid.uuid4().hex
            if not is_alone or not self._scripts.run("seal_begin", token, self._lease_ms):
                return BUSY
            try:
                return self._seal(token, batch)
            finally:
                self._scripts.run("seal_end", token)

    def _seal(self, token: str, batch: int) -> SealReport:
        self._ask()
        self._archive.mend()
        sealed = sealed_in_redis(self._client, self._keys)
        start = position(self._archive.tail(), sealed, self._ledger)
        head = start.head
        if not self._catch_up(start, sealed, token):
            return BUSY
        for entries in self._ledger.read(start.after, self._ledger.last_id(), page=batch):
            if not self._scripts.run("seal_hold", token, self._lease_ms):
                break  # taken over, or everything was lost since: the next one asks first
            head = self._archive.append(head, entries)
            self._anchors.add(head, self._clock.now_ms())
            if not self._commit(head, sealed, token):
                break  # taken over: what was written is whole, and whoever took over goes on from it
        return SealReport(sealed=head.number - start.head.number, total=head.number)

    def _catch_up(self, start: Position, sealed: Sealed | None, token: str) -> bool:
        """Anchor and note what a crash left unanchored or unnoted. False when taken over."""
        if start.head.number == 0:
            return True
        if self._anchors.last() != start.head:
            self._anchors.add(start.head, self._clock.now_ms())
        return self._commit(start.head, sealed, token)

    def _commit(self, head: Head, sealed: Sealed | None, token: str) -> bool:
        if sealed is not None and order(head.id) <= order(sealed.head.id):
            return True  # catching up with what another machine sealed: Redis knows more already
        return bool(self._scripts.run("seal_commit", token, head.id, head.number, head.hash, self._lease_ms))
