"""Several calls of scripts in one round trip, on the real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis

from tasks.utils.scripts import LUA, MANY_AT_ONCE, Scripts, source

if TYPE_CHECKING:
    from tasks.utils.keys import Keys
    from tasks.utils.scripts import Call


def put(number: int) -> Call:
    """One entry for the record of acts."""
    return ("record_put", f"act-{number}", "done", "", "", 0, 60_000)


def forget(keys: Keys, client: Any, name: str) -> Call:
    """Forget one task's answer, which is there."""
    client.set(keys.result(name), "answer")
    return ("result_forget", name, "answer")


@pytest.fixture
def scripts(client: Any, keys: Keys) -> Scripts:
    return Scripts(client, keys)


def test_the_server_takes_every_script_alone_and_for_many_calls(client: Any, keys: Keys) -> None:
    for file in LUA.glob("*.lua"):
        for many in (False, True):
            assert client.script_load(source(file.stem, keys.prefix, many=many))


def test_each_call_has_its_own_answer_in_order_whatever_is_called_in_between(
    client: Any, keys: Keys, scripts: Scripts
) -> None:
    scripts.run_many([put(1), put(3)])

    answers = scripts.run_many([put(0), put(1), forget(keys, client, "a"), ("result_forget", "b", "x"), put(2), put(3)])

    assert answers == [1, 0, 1, 0, 1, 0]


def test_any_number_of_calls_is_answered(client: Any, keys: Keys, scripts: Scripts) -> None:
    many = 2 * MANY_AT_ONCE + 1

    assert scripts.run_many([put(number) for number in range(many)]) == [1] * many
    assert client.xlen(keys.ledger) == many


def test_a_call_without_an_answer_is_answered_with_none(client: Any, keys: Keys, scripts: Scripts) -> None:
    client.hset(keys.event("e"), mapping={"state": "queued"})

    assert scripts.run_many([("replay", "e", "x"), ("replay", "unknown", "x")]) == [
        scripts.run("replay", "e", "x"),
        scripts.run("replay", "unknown", "x"),
    ]


def test_one_that_fails_is_told_of_and_costs_the_others_nothing(client: Any, keys: Keys, scripts: Scripts) -> None:
    client.lpush(keys.result("broken"), "no text")
    calls = [
        forget(keys, client, "before"),
        ("result_forget", "broken", "answer"),
        forget(keys, client, "after"),
        put(1),
    ]

    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        scripts.run_many(calls)

    assert not client.exists(keys.result("before"), keys.result("after"))
    assert client.xlen(keys.ledger) == 1


def test_a_fault_in_a_script_is_told_as_one(client: Any, scripts: Scripts) -> None:
    with pytest.raises(redis.ResponseError, match="nil value"):
        scripts.run_many([("record_put", "act", "done", "", "")])

    assert client.ping()


def test_a_server_that_has_forgotten_the_scripts_is_told_them_anew(client: Any, keys: Keys, scripts: Scripts) -> None:
    scripts.run_many([put(0), forget(keys, client, "a")])

    client.script_flush()

    assert scripts.run_many([put(0), put(1), forget(keys, client, "b")]) == [0, 1, 1]
