"""No destructive task is without its guard, and the schedule asks for nothing that schedules may not do."""

from __future__ import annotations

from typing import Any

import pytest

from config.access import Access
from config.settings import load
from schedules.beat import ENTRIES
from tasks.tokens.destructive import DESTRUCTIVE
from workers.app import make_app


@pytest.fixture(scope="module")
def tasks() -> dict[str, Any]:
    app = make_app(load(environ={}))
    app.loader.import_default_modules()
    return dict(app.tasks)


def test_every_task_that_is_called_like_a_destructive_act_needs_its_grant(tasks: dict[str, Any]) -> None:
    destructive = {name for name in tasks if name in DESTRUCTIVE}

    assert {"backups.restore", "backups.prune", "logs.clean_up"} <= destructive
    assert {name: tasks[name].authority for name in destructive} == {name: name for name in destructive}


def test_every_authority_is_a_known_act(tasks: dict[str, Any]) -> None:
    assert {getattr(task, "authority", None) for task in tasks.values()} - {None} <= set(DESTRUCTIVE)


def test_what_the_shipped_schedule_destroys_schedules_may_destroy(tasks: dict[str, Any]) -> None:
    acts = {tasks[entry.task].needs_authority((), entry.arguments) for entry in ENTRIES.values()} - {None}

    assert "backups.prune" in acts
    assert {DESTRUCTIVE[act].scope for act in acts} <= set(Access().schedules)


def test_a_call_that_only_looks_needs_no_grant(tasks: dict[str, Any]) -> None:
    restore, prune = tasks["backups.restore"], tasks["backups.prune"]

    assert restore.needs_authority((), {"backup": "latest", "targets": []}) is None  # it plans unless told otherwise
    assert restore.needs_authority((), {"backup": "latest", "targets": [], "dry_run": False}) == "backups.restore"
    assert prune.needs_authority((), {"dry_run": True}) is None
    assert prune.needs_authority((), {}) == "backups.prune"
    assert prune.needs_authority((), {"dry_run": "yes"}) == "backups.prune"
