"""Every routed, scheduled, hinted and documented name is a task; every task has a route."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from config.environment import setting_paths
from config.models import Settings
from config.settings import load
from schedules.beat import ENTRIES
from tasks.utils.hints import HINTED
from workers.app import Tocsin, make_app
from workers.queues import GROUPS, ROUTES

ROOT = Path(__file__).parents[2]
DOCUMENTED = re.compile(r"`((?:alerts|notifications|audit|backups|escalations|incidents|webhooks)\.[a-z_]+)`")


@pytest.fixture(scope="module")
def app() -> Tocsin:
    made = make_app(load(environ={}))
    made.loader.import_default_modules()
    return made


def own_tasks(app: Tocsin) -> set[str]:
    return {name for name in app.tasks if not name.startswith("celery.")}


def test_every_scheduled_and_hinted_name_is_a_task(app: Tocsin) -> None:
    wanted = {entry.task for entry in ENTRIES.values()} | {task for task, _ in HINTED.values()}

    assert wanted <= own_tasks(app)


def test_every_documented_name_is_a_task(app: Tocsin) -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    written = {name for page in pages for name in DOCUMENTED.findall(page.read_text())}

    settings = {".".join(path[:2]) for path in setting_paths(Settings)}

    assert written
    assert written - settings <= own_tasks(app)


def test_every_task_goes_to_a_queue_that_some_group_reads(app: Tocsin) -> None:
    read = {queue for queues in GROUPS.values() for queue in queues}

    for name in own_tasks(app):
        queue = app.amqp.router.route({}, name)["queue"].name
        expected = next(queue for pattern, queue in ROUTES.items() if fnmatch(name, pattern))
        assert queue == expected
        assert queue in read


def test_a_hint_goes_to_the_queue_its_task_is_routed_to(app: Tocsin) -> None:
    for task, queue in HINTED.values():
        assert app.amqp.router.route({}, task)["queue"].name == queue


def test_every_task_has_a_first_line_that_explains_it(app: Tocsin) -> None:
    for name in own_tasks(app):
        assert (app.tasks[name].__doc__ or "").strip(), name
