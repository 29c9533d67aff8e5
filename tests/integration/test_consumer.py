"""What no task can take is kept, and no message can hurt the worker that receives it."""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from celery.exceptions import NotRegistered
from celery.result import AsyncResult

from tests.chaos.fetch_fleet import Fleet, await_that, fleet
from workers.consumer import log_dead_letter
from workers.transport import SCHEME

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = {"task": "t.count", "id": "x", "lang": "py"}
NUMBER = [[1], {}, {}]


@pytest.fixture(scope="module", params=["threads", "prefork"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One worker for all tests of this file: what one message does to it, the next test would see."""
    with fleet(tmp_path_factory.mktemp("consumer")) as the_fleet:
        the_fleet.worker(pool=request.param, slots=2, visibility="60")
        yield the_fleet
        assert the_fleet.workers[0].lives


def envelope(headers: Any, body: Any, *, kind: str = "application/json", encoding: str = "utf-8") -> str:
    """A message as kombu lays it into a list."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    properties = {
        "body_encoding": "base64",
        "delivery_tag": str(uuid4()),
        "delivery_info": {"exchange": "", "routing_key": "alert"},
    }
    text = base64.b64encode(raw).decode()
    envelope = {"body": text, "content-type": kind, "content-encoding": encoding}
    return json.dumps({**envelope, "headers": headers, "properties": properties})


def dead_letter_of(the_fleet: Fleet, message: str | bytes) -> tuple[str, bytes]:
    """Reason and body of the one dead letter that `message` becomes."""
    the_fleet.redis.delete("dead")
    the_fleet.redis.lpush("t:alert", message)
    await_that(lambda: the_fleet.redis.exists("dead") or not the_fleet.workers[0].lives)
    await_that(the_fleet.is_drained)
    (letter,) = the_fleet.redis.lrange("dead", 0, -1)
    reason, _, body = letter.partition(b"|")
    return reason.decode(), body


def test_an_unknown_task_is_kept_whole(running: Fleet) -> None:
    reason, body = dead_letter_of(running, envelope({"task": "no.such", "id": "1"}, NUMBER))

    assert reason == "names an unknown task, 'no.such'"
    assert json.loads(body) == NUMBER


def test_who_waits_for_an_unknown_task_is_told(running: Fleet) -> None:
    running.redis.lpush("t:alert", envelope({"task": "no.such", "id": "told"}, NUMBER))
    running.producer.conf.result_backend = running.server.url

    with pytest.raises(NotRegistered, match=r"no\.such"):
        AsyncResult("told", app=running.producer).get(timeout=20)


def test_bytes_that_are_no_message_are_kept_as_they_are(running: Fleet) -> None:
    reason, body = dead_letter_of(running, b"\xffgarbage")

    assert reason.startswith("cannot be decoded: JSONDecodeError")
    assert body == b"\xffgarbage"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (None, NUMBER),
        ([], NUMBER),
        ("task", NUMBER),
        ({"x": 1}, NUMBER),
        ({"task": []}, NUMBER),
        ({"task": None}, NUMBER),
        ({"task": "t.count"}, NUMBER),
        ({"task": "t.count", "id": [1]}, NUMBER),
        ({**COUNT, "eta": "soon"}, NUMBER),
        ({**COUNT, "expires": "never"}, NUMBER),
        ({**COUNT, "timelimit": ["a", "b"]}, NUMBER),
        ({**COUNT, "timelimit": "abc"}, NUMBER),
        (COUNT, b"{{{"),
        (COUNT, []),
        (COUNT, 5),
        (COUNT, None),
        (COUNT, "hey"),
        (COUNT, [1, {}, {}]),
        (COUNT, [[1], [], {}]),
        (COUNT, [[1], {}, 5]),
        ({}, {"id": "1", "args": [1]}),
        ({}, {"task": "t.count", "id": "1", "args": [1], "kwargs": 3}),
    ],
)
def test_a_malformed_task_message_is_kept(running: Fleet, headers: Any, body: Any) -> None:
    dead_letter_of(running, envelope(headers, body))


def test_pickle_is_refused_and_kept(running: Fleet) -> None:
    reason, body = dead_letter_of(running, envelope(COUNT, b"x", kind="application/x-python-serialize"))

    assert "untrusted content" in reason
    assert body == b"x"


def test_a_message_of_the_first_protocol_is_done(running: Fleet) -> None:
    running.redis.lpush("t:alert", envelope({}, {"task": "t.count", "id": "v1", "args": [77], "kwargs": {}}))

    await_that(lambda: running.done().get(77))


def test_nothing_of_a_dead_letters_contents_is_logged(running: Fleet) -> None:
    dead_letter_of(running, envelope({"task": "no.such", "argsrepr": "my-secret"}, [["my-secret"], {}, {}]))

    assert "my-secret" not in running.workers[0].text()


def test_operators_reach_the_worker(running: Fleet) -> None:
    inspect = running.producer.control.inspect(timeout=10, limit=1)

    assert inspect.ping() == {"w0@test": {"ok": "pong"}}
    assert [queue["name"] for queue in inspect.active_queues()["w0@test"]] == ["alert"]
    assert inspect.stats()["w0@test"]["broker"]["transport"] == SCHEME


def test_a_revoked_task_is_not_done(running: Fleet) -> None:
    reply = running.producer.control.revoke("revoked", reply=True, timeout=10, limit=1)
    assert reply
    running.producer.send_task("t.count", args=[404], task_id="revoked", queue="alert")
    running.send([405])

    await_that(lambda: 405 in running.done())
    await_that(running.is_drained)
    assert 404 not in running.done()


def test_an_operator_can_stop_and_resume_a_queue(running: Fleet) -> None:
    running.producer.control.cancel_consumer("alert", reply=True, timeout=10, limit=1)
    running.send([501])
    await_that(lambda: running.redis.llen("t:alert") == 1)
    running.producer.control.add_consumer("alert", reply=True, timeout=10, limit=1)

    await_that(lambda: 501 in running.done())


def test_a_message_that_could_not_be_kept_stays_in_its_queue(tmp_path: Any) -> None:
    with fleet(tmp_path) as the_fleet:
        worker = the_fleet.worker(grave="closed")
        the_fleet.redis.lpush("t:alert", envelope({"task": "no.such", "id": "1"}, NUMBER))

        await_that(lambda: not worker.lives)
        assert the_fleet.redis.llen("t:alert") == 1


def test_without_dead_letters_the_loss_is_said_loudly(caplog: pytest.LogCaptureFixture) -> None:
    log_dead_letter(b"secret", "names an unknown task, 'x'", {"task": "x"})

    (record,) = caplog.records
    assert record.levelno == logging.CRITICAL
    assert "app.dead_letter" in record.message
    assert "secret" not in record.message
