"""Works off webhooks: what they say of incidents goes to the answers, the rest is counted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from tasks.utils.rows import WEBHOOK_SOURCE
from tasks.utils.scripts import Scripts
from tasks.webhooks.events import KNOWN_OTHERS, IncidentEvent, Unreadable, read_event
from tasks.webhooks.models import ProcessReport
from tasks.webhooks.rows import WebhookRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.keys import Keys
    from tasks.webhooks.answers import Answers
    from tasks.webhooks.models import Observation, Observed
    from tasks.webhooks.rows import WebhookRow

ROWS_A_CLAIM: Final = 100
LEASE: Final = timedelta(seconds=10)
KIND_CHARACTERS: Final = 80

log = structlog.get_logger("tocsin.webhooks")


@dataclass(frozen=True)
class ProcessRules:
    """How long one run works, and how often a webhook may be handed out before it is taken for poison."""

    most_tries: int = 5
    work_for: timedelta = timedelta(seconds=5)


class Lookups(Protocol):
    """Asks PagerDuty for what webhooks do not say."""

    def wanted(self, incidents: Sequence[str]) -> None:
        """Have the dedup keys of these incidents asked for."""

    def work_off(self) -> int:
        """Ask for those that are due; how many were found."""


class WebhookService:
    """Works off what the gateway has kept. Safe to run twice on the same webhook, and at once in several places."""

    def __init__(self, client: Any, keys: Keys, answers: Answers, lookups: Lookups, rules: ProcessRules) -> None:
        self._rows = WebhookRows(client, keys)
        self._scripts = Scripts(client, keys)
        self._answers = answers
        self._lookups = lookups
        self._rules = rules

    def process(self, documents: Sequence[Any] | None = None) -> ProcessReport:
        """Work off what is due, these documents first of all kept like webhooks that came by HTTP."""
        if documents:
            self._rows.put(documents)
        report = ProcessReport()
        end = time.monotonic() + self._rules.work_for.total_seconds()
        is_first = True
        while rows := self._rows.claim(ROWS_A_CLAIM, LEASE, answers_hint=is_first):
            is_first = False
            self._work_off(rows, report)
            if time.monotonic() >= end:
                break
        report.looked_up = self._lookups.work_off()
        return report

    def bury(self, documents: Sequence[Any], message_id: str, reason: str, detail: str) -> None:
        """Keep documents as dead letters; nothing will be made of them."""
        for index, document in enumerate(documents):
            self._bury(f"{message_id}:{index}", document, reason, detail, "")

    def _work_off(self, rows: Sequence[WebhookRow], report: ProcessReport) -> None:
        said: list[tuple[WebhookRow, IncidentEvent]] = []
        for row in rows:
            if row.tries > self._rules.most_tries:
                detail = f"it was handed to a worker {row.tries - 1} times, and none came back; correct what it says"
                self._bury(row.id, row.document, "poison", detail, row.received)
                report.buried += 1
                continue
            event = read_event(row.document)
            if isinstance(event, IncidentEvent):
                said.append((row, event))
            elif isinstance(event, Unreadable):
                self._bury(row.id, row.document, "unusable_webhook", event.why, row.received)
                report.buried += 1
            else:
                self._count(event, report)
        self._observe([event.observation() for _, event in said], report)
        self._rows.done(rows)
        report.webhooks += len(rows)

    def _observe(self, observations: Sequence[Observation], report: ProcessReport) -> None:
        observed = self._answers.observe_many(observations)
        unknown = [
            one.incident_id for one, what in zip(observations, observed, strict=True) if _needs_asking(one, what)
        ]
        self._lookups.wanted(list(dict.fromkeys(unknown)))
        for what in observed:
            report.matched += what.state == "matched"
            report.parked += what.state != "matched"
            report.changes += len(what.changes)

    def _count(self, kind: str, report: ProcessReport) -> None:
        report.others += 1
        if kind not in KNOWN_OTHERS:
            log.info("unknown_webhook", kind=kind[:KIND_CHARACTERS])

    def _bury(self, row_id: str, document: Any, reason: str, detail: str, received: str) -> None:
        self._scripts.run("refuse", row_id, json.dumps(document), reason, detail, WEBHOOK_SOURCE, received)


def _needs_asking(one: Observation, what: Observed) -> bool:
    """Whether its dedup keys, or whose its service is, must be asked for. With its key at hand it is some other tool's incident."""
    return what.state == "ambiguous" or (what.state == "parked" and not one.keys)
