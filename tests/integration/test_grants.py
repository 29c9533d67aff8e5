"""A destructive task runs in production only for whoever was allowed to send it, with the arguments that were allowed, once."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from celery.exceptions import Reject

from config.settings import load
from tasks.tokens.grants import Call, GrantRules, Grants, signing_key
from tasks.utils.act_context import underway
from tasks.utils.actor import Actor
from tasks.utils.error_handler import DeniedError
from workers.app import Tocsin
from workers.schedule_grants import schedule_headers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.models import Settings
    from deploy.local.embedded import Server
    from tasks.base import TocsinTask
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

KEY, OTHER_KEY = "A" * 43 + "=", "B" * 42 + "A="
ANNA = Actor("person", "anna", "laptop")
NIGHTLY = Actor("schedule", "backups-prune", "beat-1")
ACT = "backups.prune"
CALL = Call("backups.prune", "m1", (), {"keep": 3})
LIFETIME = timedelta(minutes=15)


def grants(client: Any, keys: Keys, clock: MovableClock, *masters: str, schedules: str = "backups:prune") -> Grants:
    signing = dict(map(signing_key, masters or (KEY,)))
    return Grants(client, keys, clock, GrantRules(signing, LIFETIME, frozenset({schedules})))


@pytest.fixture
def desk(client: Any, keys: Keys, clock: MovableClock) -> Grants:
    return grants(client, keys, clock)


def test_a_grant_is_good_for_its_call_and_says_whose_it_is(desk: Grants) -> None:
    assert desk.begin(desk.issue(ACT, CALL, ANNA), ACT, CALL)[1] == ANNA


@pytest.mark.parametrize(
    ("act", "call", "why"),
    [
        ("backups.restore", CALL, "another act"),
        (ACT, Call("backups.restore", "m1", (), {"keep": 3}), "another task"),
        (ACT, Call("backups.prune", "m2", (), {"keep": 3}), "another message"),
        (ACT, Call("backups.prune", "m1", (), {"keep": 0}), "other arguments"),
        (ACT, Call("backups.prune", "m1", (), {}), "other arguments"),
        (ACT, Call("backups.prune", "m1", (3,), {"keep": 3}), "other arguments"),
        (ACT, Call("backups.prune", "m1", (), {"keep": "3"}), "other arguments"),
    ],
)
def test_it_is_good_for_nothing_else(desk: Grants, act: str, call: Call, why: str) -> None:
    with pytest.raises(DeniedError, match=why):
        desk.begin(desk.issue(ACT, CALL, ANNA), act, call)


def forged(text: str, **claims: Any) -> str:
    """The same grant with other claims, its signature as it was."""
    kid, said, signature = text.split(".")
    document = {**json.loads(urlsafe_b64decode(said + "==")), **claims}
    return f"{kid}.{urlsafe_b64encode(json.dumps(document).encode()).rstrip(b'=').decode()}.{signature}"


@pytest.mark.parametrize("text", [None, "", 7, ["x"]])
def test_a_message_without_a_grant_is_refused_and_hears_how_to_get_one(desk: Grants, text: Any) -> None:
    with pytest.raises(DeniedError, match=r"holds no grant; .*tocsin task run"):
        desk.begin(text, ACT, CALL)


def test_nobody_makes_or_changes_a_grant_without_the_key(
    desk: Grants, client: Any, keys: Keys, clock: MovableClock
) -> None:
    good = desk.issue(ACT, CALL, ANNA)
    kid, said, signature = good.split(".")
    foreign = grants(client, keys, clock, OTHER_KEY).issue(ACT, CALL, ANNA)

    for text in (
        forged(good, actor=["person", "mallory", ""]),
        forged(good, until=10**15),
        f"{kid}.{said}.",
        f"{kid}.{said}.{signature[:-1]}",
        f"{kid}.{said}.{'é' * 43}",
        f"{kid}.{'.'.join(foreign.split('.')[1:])}",
        foreign,
        f".{said}.{signature}",
        "..",
        "none",
        good + " " * 5000,
    ):
        with pytest.raises(DeniedError, match=r"signature does not fit|signed with no key"):
            desk.begin(text, ACT, CALL)
    assert desk.begin(good, ACT, CALL)[1] == ANNA


def test_a_grant_has_an_end_by_the_one_clock(desk: Grants, clock: MovableClock) -> None:
    late, in_time = desk.issue(ACT, CALL, ANNA), desk.issue(ACT, CALL, ANNA)

    clock.advance(LIFETIME - timedelta(seconds=1))
    desk.begin(in_time, ACT, CALL)
    clock.advance(timedelta(seconds=2))
    with pytest.raises(DeniedError, match="has expired before its task began"):
        desk.begin(late, ACT, CALL)


def test_a_grant_is_used_up_by_the_run_that_came_to_its_end(desk: Grants) -> None:
    text = desk.issue(ACT, CALL, ANNA)
    grant_id, _ = desk.begin(text, ACT, CALL)
    desk.end(grant_id)

    with pytest.raises(DeniedError, match="has been used up"):
        desk.begin(text, ACT, CALL)


def test_a_run_whose_worker_died_may_begin_again_even_late(desk: Grants, clock: MovableClock) -> None:
    text = desk.issue(ACT, CALL, ANNA)
    desk.begin(text, ACT, CALL)
    clock.advance(timedelta(hours=3))

    assert desk.begin(text, ACT, CALL)[1] == ANNA


def test_what_is_kept_of_grants_is_forgotten(desk: Grants, clock: MovableClock, client: Any, keys: Keys) -> None:
    text = desk.issue(ACT, CALL, ANNA)
    desk.end(desk.begin(text, ACT, CALL)[0])
    clock.advance(timedelta(days=8))

    desk.begin(desk.issue(ACT, CALL, ANNA), ACT, CALL)

    assert client.hlen(keys.grants) == client.zcard(keys.grants_until) == 1
    with pytest.raises(DeniedError, match="has expired"):
        desk.begin(text, ACT, CALL)


def test_a_grant_outlives_the_rotation_of_the_encryption_key(
    desk: Grants, client: Any, keys: Keys, clock: MovableClock
) -> None:
    text = desk.issue(ACT, CALL, ANNA)

    assert grants(client, keys, clock, OTHER_KEY, KEY).begin(text, ACT, CALL)[1] == ANNA


def test_schedules_may_do_what_the_settings_name_and_nothing_else(
    desk: Grants, client: Any, keys: Keys, clock: MovableClock
) -> None:
    text = desk.issue(ACT, CALL, NIGHTLY)

    assert desk.begin(text, ACT, CALL)[1] == NIGHTLY
    with pytest.raises(DeniedError, match=r"access\.schedules does not name backups:restore"):
        desk.issue("backups.restore", CALL, NIGHTLY)
    with pytest.raises(DeniedError, match=r"access\.schedules does not name backups:prune"):
        grants(client, keys, clock, schedules="logs:purge").begin(text, ACT, CALL)


@pytest.fixture
def app(server: Server, client: Any, tmp_path: Path) -> Iterator[Tocsin]:
    app = Tocsin("test", set_as_current=False)
    environ = {"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path), "ENCRYPTION_KEY": KEY}
    app.settings = load(environ={**environ, "TOCSIN_ACCESS__ENFORCE": "true"})
    yield app
    assert app.runtime.errors.flush()
    app.runtime.client.close()
    app.close()


def outside_production(app: Tocsin) -> Settings:
    """The settings of a process that guards nothing by itself."""
    settings = app.runtime.settings
    return settings.model_copy(update={"access": settings.access.model_copy(update={"enforce": False})})


@pytest.fixture
def prune(app: Tocsin) -> Iterator[Any]:
    """A destructive task as a worker has it, with a message in hand."""

    @app.task(bind=True, name="test.prune", shared=False, authority=ACT)
    def prune(self: TocsinTask, keep: int = 1, then: str = "", dry_run: bool = False) -> str:  # noqa: FBT001, FBT002
        if then == "fails":
            raise ValueError(then)
        if then == "goes back":
            raise Reject(then, requeue=True)
        around = underway()
        return around.actor.name if around else ""

    prune.push_request(id="m1", called_directly=False, delivery_info={})
    yield prune
    prune.pop_request()


def allow(task: Any, kwargs: dict[str, Any], actor: Actor = ANNA) -> None:
    task.request.grant = task.runtime.grants.issue(ACT, Call(task.name, "m1", (), kwargs), actor)


def test_a_task_runs_with_its_grant_and_in_the_name_of_who_holds_it(prune: Any) -> None:
    allow(prune, {"keep": 3})

    assert prune(keep=3) == "anna"
    with pytest.raises(DeniedError, match="used up"):
        prune(keep=3)


def test_a_producer_with_nothing_but_the_broker_destroys_nothing_and_that_is_on_record(
    prune: Any, client: Any, keys: Keys
) -> None:
    with pytest.raises(DeniedError, match="holds no grant"):
        prune(keep=3)

    told = [fields for _, fields in client.xrange(keys.of("acts").ledger)]
    assert "denied" in json.dumps(told)


def test_a_worker_outside_production_asks_for_grants_on_the_redis_of_a_production_and_nowhere_else(
    app: Tocsin, prune: Any, client: Any, keys: Keys
) -> None:
    app.runtime.settings = outside_production(app)
    prune(keep=3)

    client.set(keys.guarded, "production")
    with pytest.raises(DeniedError, match=f"holds no grant.*marked as a production's.*redis-cli DEL {keys.guarded}"):
        prune(keep=3)
    allow(prune, {"keep": 3})

    assert prune(keep=3) == "anna"


def test_a_grant_for_other_arguments_is_refused_by_the_task(prune: Any) -> None:
    allow(prune, {"keep": 3})

    with pytest.raises(DeniedError, match="other arguments"):
        prune(keep=0)


def test_a_dry_run_needs_no_grant(prune: Any) -> None:
    assert prune(keep=0, dry_run=True) is not None


def test_a_run_that_failed_has_used_its_grant_up_and_one_that_goes_back_has_not(prune: Any) -> None:
    allow(prune, {"then": "goes back"})
    for _ in range(2):
        with pytest.raises(Reject):
            prune(then="goes back")
    allow(prune, {"then": "fails"})
    with pytest.raises(ValueError, match="fails"):
        prune(then="fails")
    with pytest.raises(DeniedError, match="used up"):
        prune(then="fails")


def test_a_scheduled_call_carries_the_grant_of_schedules(app: Tocsin, prune: Any) -> None:
    headers = schedule_headers(app, "test.prune", {"keep": 2}, "m1", "prune-nightly")
    prune.request.grant = headers["grant"]

    assert prune(keep=2) == "prune-nightly"


def test_a_schedule_that_may_not_is_sent_without_a_grant_and_told(app: Tocsin, prune: Any) -> None:
    prune.authority = "backups.restore"

    assert schedule_headers(app, "test.prune", {}, "m1", "prune-nightly") == {}
    assert "access.schedules does not name" in str(app.runtime.errors.top()[0])


def test_where_acts_are_not_guarded_no_grant_is_asked_for(
    app: Tocsin, prune: Any, server: Server, tmp_path: Path
) -> None:
    app.runtime.__dict__["settings"] = load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)})

    assert prune(keep=0) is not None
    assert schedule_headers(app, "test.prune", {}, "m1", "prune-nightly") == {}
