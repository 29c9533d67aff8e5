"""What a recovery would do with each part, and what it finds that only a person can set."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from tasks.backups.items import Item
from tasks.backups.listings import FILE
from tasks.backups.recovery_models import PartPlan
from tasks.backups.state.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from tasks.backups.candidates import Candidate
    from tasks.backups.repository import Named, Repository

ENVIRONMENT: Final = Environment.kind


def part_plan(repository: Repository, candidate: Candidate, now: datetime) -> PartPlan:
    """What would be done with one part."""
    view = candidate.planned.view
    server = Counter(named.kind for named in _documents(repository, candidate) if named.kind != ENVIRONMENT)
    return PartPlan(
        part=candidate.part,
        backup=view.backup,
        age_seconds=max(0.0, round((now - view.backup.created).total_seconds(), 3)),
        counts=view.counts[candidate.part],
        server=dict(server),
        changes=[change for change in view.changes if change.verb != "leave"],
        passed_over=list(candidate.passed_over),
    )


def unset(repository: Repository, candidate: Candidate, environ: Mapping[str, str]) -> list[str]:
    """What the environment set where the backup was made and does not set here, with where it came from; no values of secrets."""
    objects = repository.objects()
    items = [
        Item(named.kind, named.id, json.loads(objects.read(named.object)))
        for named in _documents(repository, candidate)
        if named.kind == ENVIRONMENT
    ]
    here = Environment(environ).known([item.id for item in items])
    return [f"{item.id}{Environment.words(item)}" for item in items if item.id not in here]


def _documents(repository: Repository, candidate: Candidate) -> Iterator[Named]:
    found = repository.named(candidate.planned.manifest, repository.objects(), [candidate.part])
    return (named for named in found if named.form != FILE)
