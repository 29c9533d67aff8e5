"""With security.sign_tasks on, only messages that somebody who may has signed run, each once; real workers, real queues."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from celery.app.task import Context

from config.errors import ConfigError
from config.settings import load
from tasks.notifications.dead_letters import DeadLetters
from tasks.utils.admission import Admission
from tasks.utils.clock import MovableClock
from tasks.utils.rows import Inbox, InboxRow, new_event_id
from tests.conftest import ROOT
from tests.fleet import Fleet
from tests.pipeline import alert
from tests.program import tocsin
from workers.app import make_app
from workers.cli.output import ExitCode
from workers.signing import master_key, verifier
from workers.unreadable import Message
from workers.verifying import Gatekeeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tasks.notifications.models import DeadLetter

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
OTHER_KEY = base64.urlsafe_b64encode(b"o" * 32).decode()
ASIDE = "aside:"  # messages are made here and carried to the workers' queues by hand
SILENCE = {"matchers": ["host=web1"], "duration_seconds": 3600, "author": "ann", "comment": "signed"}
Raw = dict[str, Any]
PRODUCER = """
from celery import Celery
app = Celery(broker=os.environ["REDIS_URL"])
app.conf.broker_transport_options = {"global_keyprefix": "tocsin:"}
payload = {"summary": "x", "source": "y", "severity": "error"}
alert = {"service": "checkout", "event_action": "trigger", "dedup_key": "as-documented", "payload": payload}
print(app.send_task("alerts.submit", kwargs={"alerts": [alert]}, queue="alert").id)
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    environ = {"ENCRYPTION_KEY": KEY, "TOCSIN_SECURITY__SIGN_TASKS": "true"}
    hurry = {"TOCSIN_WORKERS__ALERT__VISIBILITY_TIMEOUT": "3s"}
    with Fleet(tmp_path_factory.mktemp("fleet"), sandbox_options=("--no-limits",), **environ, **hurry) as running:
        running.start_workers("alert", "delivery")
        yield running


def made(fleet: Fleet, task: str, role: str = "cli", link: str = "", **kwargs: Any) -> Raw:
    """A signed message as it stands in its queue, not sent yet; names in capitals are variables of who signs it."""
    environ = {name: kwargs.pop(name) for name in list(kwargs) if name.isupper()}
    settings = load(environ={**fleet.environment, "TOCSIN_REDIS__PREFIX": ASIDE, **environ})
    app = make_app(settings, role=role)
    app.send_task(task, kwargs=kwargs, link=app.signature(link) if link else None)
    app.close()
    raw: Raw = json.loads(fleet.client.rpop(_queue(fleet)))
    return raw


def _queue(fleet: Fleet) -> str:
    names = ("alert", "webhook", "delivery", "escalation", "maintenance")
    return next(f"{ASIDE}{name}" for name in names if fleet.client.llen(f"{ASIDE}{name}"))


def push(fleet: Fleet, raw: Raw, queue: str = "alert", *, came_back: bool = False) -> None:
    raw["properties"]["delivery_tag"] = str(uuid4())
    if came_back:  # as kombu restores what a dead worker held
        raw["headers"]["redelivered"] = raw["properties"]["delivery_info"]["redelivered"] = True
    fleet.client.lpush(fleet.keys.queue(queue), json.dumps(raw))


def rewritten(raw: Raw, change: Callable[[list[Any]], None]) -> Raw:
    """The message with another body."""
    body = json.loads(base64.b64decode(raw["body"]))
    change(body)
    return {**raw, "body": base64.b64encode(json.dumps(body).encode()).decode()}


def silences(fleet: Fleet) -> int:
    return int(fleet.client.hlen(fleet.keys.rules))


def reported(fleet: Fleet, error: str) -> bool:
    return any(error in entry["r"] for _, entry in fleet.client.xrange(fleet.keys.errors))


def refused(fleet: Fleet, task_id: str) -> DeadLetter:
    """The dead letter of a message."""
    name = fleet.keys.event(f"message:{task_id}")
    fleet.wait(lambda: fleet.client.exists(name), 20, f"no dead letter of {task_id}")
    return DeadLetters(fleet.client, fleet.keys).get(f"message:{task_id}")


def test_a_signed_message_runs(fleet: Fleet) -> None:
    raw = made(fleet, "alerts.submit", "producer", alerts=[{**alert("signed"), "service": "checkout"}])

    push(fleet, raw)

    event = fleet.keys.event(f"{raw['headers']['id']}:0")
    fleet.wait(lambda: fleet.client.hget(event, "state") == "sent", 20, "it does not run")


def test_a_hint_needs_no_signature(fleet: Fleet) -> None:
    row = InboxRow(new_event_id(), {**alert("hinted"), "service": "checkout"}, "test")

    Inbox(fleet.client, fleet.keys).put([row])

    fleet.wait(lambda: fleet.client.hget(fleet.keys.event(row.id), "state") == "sent", 20, "the hint is not heard")


FORGERIES: dict[str, tuple[str, Callable[[Raw], Raw]]] = {
    "unsigned": ("is not signed", lambda raw: {**raw, "headers": _without(raw["headers"], "tocsin_signature")}),
    "another body": ("does not fit", lambda raw: rewritten(raw, lambda body: body[1].update(author="eve"))),
    "another task": ("does not fit", lambda raw: {**raw, "headers": {**raw["headers"], "task": "alerts.submit"}}),
    "another id": ("does not fit", lambda raw: {**raw, "headers": {**raw["headers"], "id": str(uuid4())}}),
    "called a hint": (
        "is not signed",
        lambda raw: {**raw, "headers": {**_without(raw["headers"], "tocsin_signature"), "task": "alerts.submit"}},
    ),
    "a callback added": ("does not fit", lambda raw: rewritten(raw, lambda body: body[2].update(callbacks=[{}]))),
}


def _without(headers: Raw, name: str) -> Raw:
    return {key: value for key, value in headers.items() if key != name}


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_or_altered_message_never_runs_and_is_a_dead_letter_by_name(fleet: Fleet, kind: str) -> None:
    before = silences(fleet)
    words, forge = FORGERIES[kind]
    raw = forge(made(fleet, "alerts.silence", action="create", **SILENCE))

    push(fleet, raw)

    dead = refused(fleet, raw["headers"]["id"])
    assert dead.reason == "forged_message"
    assert words in dead.detail
    assert silences(fleet) == before
    fleet.wait(lambda: reported(fleet, "forged_message"), 10, "the forgery is not reported")


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("alerts.silence", {"role": "producer"}),
        ("alerts.silence", {"role": "beat"}),
        ("alerts.silence", {"ENCRYPTION_KEY": OTHER_KEY}),
        ("audit.seal", {}),
        ("alerts.submit", {"role": "producer", "link": "alerts.silence"}),
    ],
    ids=["a producer's key", "beat's key", "another installation's key", "for another queue", "a task that follows"],
)
def test_a_key_that_may_not_is_refused(fleet: Fleet, task: str, options: dict[str, str]) -> None:
    before = silences(fleet)
    raw = made(fleet, task, **options, **(SILENCE if task == "alerts.silence" else {}))

    push(fleet, raw)

    assert refused(fleet, raw["headers"]["id"]).reason == "forged_message"
    assert silences(fleet) == before


def test_a_copy_of_a_message_never_runs(fleet: Fleet) -> None:
    before = silences(fleet)
    raw = made(fleet, "alerts.silence", action="create", **SILENCE)

    push(fleet, raw)
    fleet.wait(lambda: silences(fleet) == before + 1, 20, "the message did not run")
    push(fleet, raw)
    fleet.wait(lambda: reported(fleet, "message_replayed"), 20, "the copy is not reported")
    push(fleet, raw, came_back=True)
    fleet.wait(lambda: not fleet.client.llen(fleet.keys.queue("alert")), 20, "the copy is not taken")

    assert silences(fleet) == before + 1


def test_what_a_dead_worker_had_begun_runs_again(fleet: Fleet) -> None:
    before = silences(fleet)
    raw = made(fleet, "alerts.silence", action="create", **SILENCE)
    signature = raw["headers"]["tocsin_signature"]
    admission = Admission(fleet.client, fleet.keys, timedelta(hours=24))

    assert admission.verdict(signature["nonce"], signature["at"], came_back=False) == "run"
    push(fleet, raw, came_back=True)

    fleet.wait(lambda: silences(fleet) == before + 1, 20, "what came back did not run")


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_a_message_loses_none_of_its_alerts(fleet: Fleet) -> None:
    alerts = [{**alert(f"killed-{n}"), "service": "checkout", "event_action": "trigger"} for n in range(3000)]
    raw = made(fleet, "alerts.submit", alerts=alerts)
    pattern = fleet.keys.event(f"{raw['headers']['id']}:")

    push(fleet, raw)
    fleet.wait(lambda: fleet.client.exists(f"{pattern}100"), 20, "it does not begin")
    assert not fleet.client.exists(f"{pattern}2999")
    fleet.kill("alert")
    fleet.start("worker", "alert", name="alert")

    fleet.wait(lambda: fleet.client.exists(f"{pattern}2999"), 40, "the rest of the alerts is lost")
    assert all(fleet.client.exists(f"{pattern}{n}") for n in range(3000))


def test_a_message_that_is_too_old_becomes_dead_letters_and_does_not_run(fleet: Fleet) -> None:
    raw = made(fleet, "alerts.submit", alerts=[{**alert("late"), "service": "checkout"}])
    clock = MovableClock(fleet.client, fleet.keys)

    clock.advance(timedelta(hours=25))
    push(fleet, raw)

    event = fleet.keys.event(f"{raw['headers']['id']}:0")
    fleet.wait(lambda: fleet.client.exists(event), 20, "nothing became of it")
    clock.advance(timedelta(hours=-25))
    assert fleet.client.hget(event, "reason") == "message_too_old"
    assert fleet.client.hget(event, "state") == "dead"


def test_the_shell_signs_what_it_sends(fleet: Fleet) -> None:
    done = tocsin("task", "run", "notifications.sweep", "--wait", "--json", env=fleet.environment)

    assert done.returncode == ExitCode.OK, done.stderr
    assert json.loads(done.stdout)["state"] == "SUCCESS"


def test_a_machine_with_the_key_of_one_role_sends_that_and_nothing_else(fleet: Fleet) -> None:
    key = tocsin("config", "task-key", "producer", env=fleet.environment).stdout.strip()
    machine = {"ENCRYPTION_KEY": "", "TOCSIN_SECURITY__TASK_KEY": key}
    sent = made(fleet, "alerts.submit", alerts=[{**alert("one-role"), "service": "checkout"}], **machine)
    silence = made(fleet, "alerts.silence", action="create", **SILENCE, **machine)

    push(fleet, sent)
    push(fleet, silence)

    assert refused(fleet, silence["headers"]["id"]).reason == "forged_message"
    event = fleet.keys.event(f"{sent['headers']['id']}:0")
    fleet.wait(lambda: fleet.client.hget(event, "state") == "sent", 20, "it does not run")


def test_what_a_worker_sends_anew_for_a_process_that_died_is_signed_anew(fleet: Fleet) -> None:
    settings = load(environ={**fleet.environment, "TOCSIN_REDIS__PREFIX": ASIDE})
    app = make_app(settings, group="maintenance")
    first = made(fleet, "audit.seal", "beat")
    app.loader.import_default_modules()
    task = app.tasks["audit.seal"]

    context = Context(
        first["headers"], args=[], kwargs={}, delivery_info={"exchange": "", "routing_key": "maintenance"}
    )
    task.signature_from_request(context, countdown=1, retries=1).apply_async()
    again = json.loads(fleet.client.rpop(f"{ASIDE}maintenance"))
    app.close()

    gatekeeper = Gatekeeper(verifier(settings), "maintenance")
    gatekeeper.check(Message(json.dumps(again).encode(), SimpleNamespace(queue="maintenance", decode_body=decode)))
    assert again["headers"]["id"] == first["headers"]["id"]
    assert again["headers"]["tocsin_signature"]["role"] == "worker-maintenance"
    assert again["headers"]["tocsin_signature"]["nonce"] != first["headers"]["tocsin_signature"]["nonce"]


def decode(body: str, encoding: str) -> bytes:
    assert encoding == "base64"
    return base64.b64decode(body)


def test_a_celery_producer_signs_as_the_documentation_shows(fleet: Fleet) -> None:
    shown = (ROOT / "docs/security.md").read_text().split("```python\nimport hashlib", 1)[1].split("```", 1)[0]
    program = f"import hashlib{shown}{PRODUCER}"
    key = str(master_key(fleet.settings, "producer"))
    environ = {**os.environ, "REDIS_URL": fleet.server.url, "TOCSIN_TASK_KEY": key}

    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)

    event = fleet.keys.event(f"{done.stdout.strip()}:0")
    fleet.wait(lambda: fleet.client.hget(event, "state") == "sent", 20, "it does not run")


def test_a_worker_without_the_secret_says_what_it_needs(fleet: Fleet) -> None:
    key = str(master_key(fleet.settings, "producer"))
    settings = load(environ={**fleet.environment, "ENCRYPTION_KEY": "", "TOCSIN_SECURITY__TASK_KEY": key})

    with pytest.raises(ConfigError, match="workers check the signatures of every role"):
        make_app(settings, group="alert")
