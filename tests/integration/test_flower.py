import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker

from deploy.local.embedded import start_server
from tests.integration.up_kit import command_line, wait_for

SECRET = "the-customer-is-Ada-Lovelace"
KEY = "0123456789abcdef0123456789abcdef"
EVENT = "019ab2c3d4e5f60718293a4b5c6d7e8f"
PASSWORD = "open-sesame"
FLOWER = """
import sys
from celery import Celery
from config.settings import load
from workers.flower import run

run(load(), app=Celery(broker=sys.argv[1], backend=sys.argv[1]), port=0)
"""


class Page:
    """A Flower of its own, run as `tocsin flower` runs it."""

    def __init__(self, redis_url: str, state_dir, **environment) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", FLOWER, redis_url],
            env={**os.environ, "TOCSIN_STATE_DIR": str(state_dir), "TOCSIN_FLOWER__PASSWORD": PASSWORD, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = self.process.stdout.readline()
        self.url = json.loads(said)["url"] if said else ""

    def get(self, path: str, password=PASSWORD):
        return httpx.get(self.url + path, auth=("tocsin", password), trust_env=False, timeout=10)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        _, talk = self.process.communicate(timeout=20)
        return talk

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory):
    with start_server(tmp_path_factory.mktemp("flower") / "redis") as server:
        yield server.url


@pytest.fixture(scope="module")
def worker(redis_url: str):
    """A worker that talks about its tasks, one of which waits for leave to end."""
    app = Celery(broker=redis_url, set_as_current=False)
    app.conf.update(worker_send_task_events=True, task_send_sent_event=True, worker_hijack_root_logger=False)
    leave = threading.Event()

    @app.task(name="bells.ring", shared=False)
    def submit(**kwargs):
        return {"alerts": [{"summary": kwargs["alerts"][0]["summary"]}], "sent": 1}

    @app.task(name="bells.hang", shared=False)
    def hang(*_, **__):
        leave.wait(60)

    with start_worker(app, pool="threads", concurrency=2, perform_ping_check=False, shutdown_timeout=20):
        app.leave = leave
        yield app
        leave.set()
    app.close()


@pytest.fixture(scope="module")
def page(redis_url: str, tmp_path_factory: pytest.TempPathFactory):
    with Page(redis_url, tmp_path_factory.mktemp("state")) as running:
        yield running


def submit_one(app: Celery, page: Page):
    """One task that carries what must not be seen, once Flower has heard of its end."""
    kwargs = {"alerts": [{"summary": SECRET, "routing_key": KEY}], "event_ids": [EVENT]}
    task = app.send_task("bells.ring", kwargs=kwargs, ignore_result=True)
    path = f"api/task/info/{task.id}"

    def heard():
        # until Flower listens to events, none are kept: ask again with a new task
        nonlocal task, path
        answer = page.get(path)
        if answer.status_code == 200 and answer.json()["state"] == "SUCCESS" and answer.json()["kwargs"]:
            return answer.json()
        if answer.status_code == 404 or not answer.json()["kwargs"]:
            task = app.send_task("bells.ring", kwargs=kwargs, ignore_result=True)
            path = f"api/task/info/{task.id}"
            time.sleep(0.3)
        return None

    return wait_for(heard)


@pytest.mark.parametrize("path", ["", "tasks", "broker", "api/tasks", "api/workers"])
def test_nobody_sees_anything_without_the_password(page: Page, path: str) -> None:
    assert httpx.get(page.url + path, trust_env=False).status_code == 401
    assert page.get(path, password="guess").status_code == 401


def test_the_password_opens_the_page(page: Page) -> None:
    answer = page.get("")

    assert answer.status_code == 200
    assert "Flower" in answer.text


def test_it_listens_on_loopback_only_and_the_password_is_in_no_process_list(page: Page) -> None:
    assert page.url.startswith("http://127.0.0.1:")
    assert PASSWORD not in command_line(page.process.pid)


def test_a_task_shows_its_ids_and_neither_payload_nor_key(page: Page, worker: Celery) -> None:
    task = submit_one(worker, page)

    assert task["kwargs"] == f"{{alerts: (1 items), event_ids: {EVENT}}}"
    assert task["result"] == "{alerts: (1 items), sent: 1}"


def test_neither_pages_nor_api_nor_file_ever_hold_what_a_task_carries(
    redis_url: str, tmp_path: Path, worker: Celery
) -> None:
    with Page(redis_url, tmp_path) as page:
        task = submit_one(worker, page)
        table = "tasks/datatable?draw=1&start=0&length=9&order[0][column]=0&columns[0][data]=name&search[value]="
        told = [page.get(path).text for path in (f"task/{task['uuid']}", table, "api/tasks", "metrics")]
        found = page.get(table + "Lovelace").json()
        talk = page.end()

    stored = b"".join(part.read_bytes() for part in (tmp_path / "flower").iterdir())
    assert task["uuid"] in told[0]
    assert found["recordsFiltered"] == 0
    assert not any(word in text for text in (*told, talk) for word in (SECRET, KEY))
    assert EVENT.encode() in stored
    assert SECRET.encode() not in stored
    assert KEY.encode() not in stored


def test_tasks_under_way_are_shown_without_what_they_carry(page: Page, worker: Celery) -> None:
    worker.send_task("bells.hang", args=[SECRET], kwargs={"event_id": EVENT}, ignore_result=True)
    [name] = wait_for(lambda: list(page.get("api/workers?refresh=1").json()))

    def shown():
        text = page.get(f"worker/{name}").text
        return text if "bells.hang" in text and EVENT in text else None

    assert SECRET not in wait_for(shown)


def test_what_was_seen_is_still_there_after_a_restart(redis_url: str, tmp_path: Path, worker: Celery) -> None:
    with Page(redis_url, tmp_path) as first:
        task = submit_one(worker, first)
        talk = first.end(signal.SIGTERM)

    assert first.process.returncode == 0
    assert "Traceback" not in talk
    with Page(redis_url, tmp_path) as second:
        assert second.get(f"api/task/info/{task['uuid']}").json()["state"] == "SUCCESS"


def test_it_can_live_beneath_a_prefix_and_ends_cleanly_on_ctrl_c(redis_url: str, tmp_path: Path) -> None:
    with Page(redis_url, tmp_path, TOCSIN_FLOWER__URL_PREFIX="flower") as page:
        answer = page.get("")
        talk = page.end(signal.SIGINT)

    assert page.url.endswith("/flower/")
    assert answer.status_code == 200
    assert '"/flower/static/' in answer.text
    assert page.process.returncode == 0
    assert "Traceback" not in talk


def test_without_a_password_it_refuses_to_start_and_says_what_to_do(redis_url: str, tmp_path: Path) -> None:
    with Page(redis_url, tmp_path, TOCSIN_FLOWER__PASSWORD="") as page:
        _, talk = page.process.communicate(timeout=20)

    assert page.process.returncode != 0
    assert "TOCSIN_FLOWER__PASSWORD" in talk


LATECOMER = """
import sys
from celery import Celery

app = Celery(broker=sys.argv[1])
app.conf.task_default_queue = "late"
app.worker_main(["worker", "--pool=solo", "--task-events"])
"""


def test_the_queues_of_a_worker_that_comes_up_later_are_on_the_broker_page(redis_url: str, page: Page) -> None:
    assert ">late<" not in page.get("broker").text

    command = [sys.executable, "-W", "ignore", "-c", LATECOMER, redis_url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as latecomer:
        try:
            wait_for(lambda: ">late<" in "".join(page.get("broker").text.split()), 30)
        finally:
            latecomer.kill()
            latecomer.wait()
