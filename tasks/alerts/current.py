"""The alerts as they stand: what is open, what is held back, since when."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tasks.alerts.models import AlertView, IncidentView, Page
from tasks.alerts.receipt_view import ReceiptView, receipts_of
from tasks.utils.error_handler import UnknownError
from tasks.utils.kept_labels import recall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tasks.alerts.models import Status
    from tasks.utils.keys import Keys

BATCH: Final = 500
MOST_LOOKED_AT: Final = 5000
FIELDS: Final = (
    "service",
    "dedup_key",
    "status",
    "since",
    "held_for",
    "repeats",
    "routes",
    "episode",
    "copy_of",
)


class CurrentAlerts:
    """Reads alerts, newest news first; changes nothing."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def list(
        self, *, status: Status | None = None, service: str | None = None, limit: int = 100, cursor: str = ""
    ) -> Page:
        """A page of at most `limit` alerts, of one status and service if given. `cursor` is a former page's.

        Where few alerts fit, a page may hold less, even none, and yet name a next one: no call looks at all there are.
        """
        found: list[AlertView] = []
        for looked_at, (score, view) in enumerate(self._from(cursor)):
            fits = status in (None, view.status) and service in (None, view.service)
            if looked_at == MOST_LOOKED_AT or (fits and len(found) == limit):
                return Page(alerts=found, next_cursor=cursor)
            if fits:
                found.append(view)
            cursor = f"{score:.0f}.{view.uid}"
        return Page(alerts=found)

    def unresolved(self) -> Sequence[AlertView]:
        """Every alert that is not resolved."""
        return [view for _, view in self._from("") if view.status != "resolved"]

    def get(self, uid: str) -> AlertView:
        """One alert by its uid; UnknownError if nothing is known of it."""
        views = list(self._views([(uid, self._client.zscore(self._keys.alerts, uid) or 0.0)]))
        if not views:
            raise UnknownError(f"nothing is known of an alert {uid!r}; it may have been over for long")
        return views[0][1]

    def _from(self, cursor: str) -> Iterator[tuple[float, AlertView]]:
        """Alerts behind the one the cursor names. News that comes meanwhile may be missed on later pages, nothing else."""
        score, _, after = cursor.partition(".")
        highest: Any = float(score) if score else "+inf"
        while True:
            pairs = self._client.zrange(
                self._keys.alerts, highest, "-inf", byscore=True, desc=True, offset=0, num=BATCH, withscores=True
            )
            fresh = [pair for pair in pairs if not after or (pair[1], pair[0]) < (highest, after)]
            if not fresh:
                return
            yield from self._views(fresh)
            after, highest = fresh[-1]

    def _views(self, pairs: Sequence[tuple[str, float]]) -> Iterator[tuple[float, AlertView]]:
        pipe = self._client.pipeline(transaction=False)
        for uid, _ in pairs:
            pipe.hmget(self._keys.alert(uid), FIELDS)
            pipe.hget(self._keys.labels, uid)
            pipe.hget(self._keys.answers, uid)
        replies = pipe.execute()
        answers = {uid: text for (uid, _), text in zip(pairs, replies[2::3], strict=True) if text}
        receipts = receipts_of(self._client, self._keys, answers)
        for (uid, score), values, labels in zip(pairs, replies[::3], replies[1::3], strict=True):
            fields = {name: value for name, value in zip(FIELDS, values, strict=True) if value is not None}
            if "dedup_key" in fields and "copy_of" not in fields:
                known = recall(labels or "", fields["service"], fields["dedup_key"])
                view = _view(uid, score, fields, known)
                receipt, after = receipts.get(uid, ReceiptView())
                more = {"incidents": _incidents(answers.get(uid, "")), "receipt": receipt, "seen_after_seconds": after}
                yield score, view.model_copy(update=more)


def _view(uid: str, score: float, fields: Mapping[str, str], labels: dict[str, str]) -> AlertView:
    routes = fields.get("routes") or (fields["service"] if "episode" in fields else "")
    return AlertView(
        uid=uid,
        service=fields["service"],
        dedup_key=fields["dedup_key"],
        status=fields["status"],
        summary=labels.get("summary", ""),
        severity=labels.get("severity", ""),
        since=_moment(float(fields["since"])) if "since" in fields else None,
        last_at=_moment(score) if score else None,
        held_by=fields.get("held_for", ""),
        labels=labels,
        repeats=int(fields.get("repeats", 0)),
        destinations=[line.split(" ")[0] for line in routes.splitlines()],
    )


def _incidents(known: str) -> list[IncidentView]:
    """What PagerDuty has shown of the alert, the newest incident first."""
    records = [record for record in json.loads(known or "{}").values() if record.get("id")]
    records.sort(key=lambda record: record.get("number") or 0, reverse=True)
    return [
        IncidentView(
            id=record["id"],
            number=record.get("number") or None,
            status=record.get("status", "triggered"),
            url=record.get("url", ""),
            seen_at=_moment(record["seen"]),
            changed_at=_moment(record["at"]) if "at" in record else None,
            answered_by=record.get("who", ""),
        )
        for record in records
    ]


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
