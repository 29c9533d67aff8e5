"""The audit tasks; thin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from celery import shared_task

from tasks.audit.act_filter import filter_of

if TYPE_CHECKING:
    from tasks.base import TocsinTask


@shared_task(bind=True, name="audit.prove", has_effect=False)
def prove(self: TocsinTask, since_seconds: float | None = None, keep: str = "") -> dict[str, Any]:
    """Prove that every event accepted in the last `since_seconds` (None: ever) met a rightful end or is pending.

    `keep`: a name under which health and Tocsin's own alerts find the result; for scheduled runs.
    """
    since = None if since_seconds is None else timedelta(seconds=since_seconds)
    return self.runtime.audit.prove_and_keep(since, keep).model_dump(mode="json")


@shared_task(bind=True, name="audit.seal", has_effect=False)
def seal(self: TocsinTask) -> dict[str, Any]:
    """Chain and archive what is new in the ledger and on the record of acts, then take out of Redis what is over. Safe at any time.

    A loss of Redis is looked for first: whoever seals has the note of what was pending and of the silences there were.
    """
    sealed = self.runtime.audit.seal()
    archived = self.runtime.audit.archive()
    records = self.runtime.act_archive.seal()
    return {"sealed": sealed.model_dump(), "archived": archived.model_dump(), "records": records.model_dump()}


@shared_task(bind=True, name="audit.verify", has_effect=False)
def verify(self: TocsinTask, since_seconds: float | None = None, strict: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - arguments of the wire
    """Check archive and anchors of the ledger, of acts and of PagerDuty's records, line by line; judges no event.

    `since_seconds`: only the files from that day on, where older ones were moved away. `strict`: fail where one was touched.
    """
    since = None if since_seconds is None else timedelta(seconds=since_seconds)
    ledger = self.runtime.audit.verify(since)
    records = self.runtime.act_archive.verify(ledger, since, strict=strict)
    return {**ledger.model_dump(mode="json"), **records.model_dump(mode="json", exclude={"ledger"})}


@shared_task(bind=True, name="audit.export")
def export(self: TocsinTask, format: str = "jsonl", with_pagerduty: bool = False, **wanted: Any) -> dict[str, Any]:  # noqa: A002, FBT001, FBT002 - arguments of the wire
    """Write acts to a file in the state folder of the worker: JSON Lines, or `format="csv"`. Answers file, count, size, SHA-256.

    `since`, `until` (ISO times), `actor`, `action`, `object`, `outcome` choose; texts are patterns such as `tokens.*`.
    """
    archive = self.runtime.act_archive
    return archive.export(filter_of(**wanted), format, with_pagerduty=with_pagerduty).model_dump()


@shared_task(bind=True, name="audit.collect", has_effect=False)
def collect(self: TocsinTask) -> dict[str, Any]:
    """Fetch what is new of PagerDuty's own audit records, and keep it beside ours. Needs a plan that has them."""
    return self.runtime.act_archive.collector.collect().model_dump(mode="json")
