"""What is cached is computed once for all, counts until its time or its tag is over, and is never a reason to fail."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from deploy.local.embedded import start_server
from tasks.utils.cache_manager import LONGEST_TTL, MOST_BYTES, CacheManager
from tasks.utils.connect import connect
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def cache(client: Any, keys: Keys) -> CacheManager:
    return CacheManager(client, keys)


class Answers:
    """A computation that counts its calls: 1, 2, 3, …"""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return self.calls


def never() -> Any:
    raise AssertionError("it was cached")


def test_a_fresh_value_is_not_computed_again(cache: CacheManager) -> None:
    value = {"name": "Ada", "teams": ["a", "b"], "score": 1.5, "é": None}

    assert cache.get_or_compute("user:1", lambda: value) == value
    assert cache.get_or_compute("user:1", never) == value
    assert cache.counts == {"computed": 1, "hit": 1}


def test_a_value_is_what_json_gives_back_also_the_first_time(cache: CacheManager) -> None:
    assert cache.get_or_compute("pair", lambda: (1, 2)) == [1, 2]


def test_after_its_time_a_value_is_computed_anew(cache: CacheManager, clock: MovableClock) -> None:
    answers = Answers()
    for expected, later in [(1, 59), (1, 2), (2, 0)]:
        assert cache.get_or_compute("n", answers, ttl=MINUTE) == expected
        clock.advance(timedelta(seconds=later))


def test_all_values_of_a_tag_end_with_one_write(cache: CacheManager, client: Any, keys: Keys) -> None:
    for number in range(50):
        cache.get_or_compute(f"user:{number}", lambda: "old", tags=("users", f"user-{number}"))
    cache.get_or_compute("team", lambda: "old", tags=("teams",))
    size = client.dbsize()

    assert cache.invalidate("users")

    assert client.dbsize() == size + 1
    assert cache.get_or_compute("user:7", lambda: "new", tags=("users",)) == "new"
    assert cache.get_or_compute("team", never) == "old"


def test_what_began_before_an_invalidation_does_not_count_after_it(cache: CacheManager) -> None:
    def read_then_changed() -> str:
        cache.invalidate("users")
        return "old"

    assert cache.get_or_compute("user", read_then_changed, tags=("users",)) == "old"
    assert cache.get_or_compute("user", lambda: "new", tags=("users",)) == "new"


def test_no_answer_is_kept_only_for_as_long_as_asked(cache: CacheManager, clock: MovableClock) -> None:
    answers: list[Any] = [None, None, "Ada"]

    assert cache.get_or_compute("a", lambda: answers.pop(0)) is None
    assert cache.get_or_compute("a", lambda: answers.pop(0), none_ttl=SECOND) is None
    assert cache.get_or_compute("a", never, none_ttl=SECOND) is None
    clock.advance(3 * SECOND)
    assert cache.get_or_compute("a", lambda: answers.pop(0), none_ttl=SECOND) == "Ada"


def test_an_error_is_passed_on_and_the_next_one_tries_at_once(cache: CacheManager) -> None:
    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute("a", lambda: 1 / 0)

    assert cache.get_or_compute("a", lambda: 1) == 1


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object()])
def test_what_json_cannot_carry_is_refused_and_holds_no_lock(cache: CacheManager, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        cache.get_or_compute("a", lambda: value)

    assert cache.get_or_compute("a", lambda: 1) == 1


def test_a_value_that_is_too_large_is_handed_out_and_not_kept(cache: CacheManager, client: Any, keys: Keys) -> None:
    large = "x" * (MOST_BYTES + 1)

    assert cache.get_or_compute("a", lambda: large) == large
    assert cache.get_or_compute("a", lambda: "small") == "small"
    assert cache.counts["too_large"] == 1


@pytest.mark.parametrize("name", ["", "x" * 301, "two\nlines"])
def test_a_name_that_cannot_be_a_key_is_refused(cache: CacheManager, name: str) -> None:
    for call in (lambda: cache.get_or_compute(name, never), lambda: cache.invalidate(name)):
        with pytest.raises(PermanentError, match="cannot name what is cached"):
            call()


def test_nothing_is_left_for_ever(cache: CacheManager, client: Any, keys: Keys) -> None:
    cache.get_or_compute("a", lambda: 1, ttl=timedelta(days=900), tags=("t",))
    cache.get_or_compute("b", lambda: None)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute("c", lambda: 1 / 0)
    cache.invalidate("t")

    left = {name: client.pttl(name) for name in client.scan_iter(f"{keys.prefix}*")}

    assert len(left) > 2
    assert all(0 < time <= 2.1 * LONGEST_TTL.total_seconds() * 1000 for time in left.values())


class Computation(threading.Thread):
    """One caller in a thread, whose computation has begun when this is made and ends when it is told to."""

    def __init__(self, cache: CacheManager, name: str, value: Any) -> None:
        super().__init__()
        self._ask: Callable[[], Any] = lambda: cache.get_or_compute(name, self._compute, ttl=MINUTE)
        self._value = value
        self._begun = threading.Event()
        self._leave = threading.Event()
        self.start()
        assert self._begun.wait(5)

    def run(self) -> None:
        self._ask()

    def _compute(self) -> Any:
        self._begun.set()
        assert self._leave.wait(10)
        return self._value

    def finish(self) -> None:
        self._leave.set()
        self.join()


def test_who_comes_while_it_is_computed_takes_the_stale_value(cache: CacheManager, clock: MovableClock) -> None:
    cache.get_or_compute("a", lambda: "old", ttl=MINUTE)
    clock.advance(MINUTE + SECOND)
    computation = Computation(cache, "a", "new")

    assert cache.get_or_compute("a", never) == "old"
    computation.finish()
    assert cache.get_or_compute("a", never) == "new"
    assert cache.counts["stale"] == 1


def test_an_invalidated_value_is_not_served_stale(client: Any, keys: Keys) -> None:
    cache = CacheManager(client, keys, wait=timedelta(seconds=0.1))
    cache.get_or_compute("a", lambda: "old", tags=("t",))
    cache.invalidate("t")
    computation = Computation(cache, "a", "new")

    assert cache.get_or_compute("a", lambda: "mine") == "mine"
    computation.finish()


def test_a_wait_is_bounded_and_what_was_computed_beside_the_lock_is_not_kept(client: Any, keys: Keys) -> None:
    cache = CacheManager(client, keys, wait=timedelta(seconds=0.2))
    computation = Computation(cache, "a", "theirs")

    assert cache.get_or_compute("a", lambda: "mine") == "mine"
    computation.finish()
    assert cache.get_or_compute("a", never) == "theirs"
    assert cache.counts["gave_up"] == 1


def test_a_dead_computers_lock_lapses_and_what_it_brings_later_is_not_kept(
    client: Any, keys: Keys, clock: MovableClock
) -> None:
    cache = CacheManager(client, keys, lock=10 * SECOND)
    computation = Computation(cache, "a", "late")
    clock.advance(11 * SECOND)

    assert cache.get_or_compute("a", lambda: "taken over") == "taken over"
    computation.finish()
    assert cache.get_or_compute("a", never) == "taken over"
    assert cache.counts["lapsed"] == 1


CALLER = """
import sys
from datetime import timedelta
from tasks.utils.cache_manager import CacheManager
from tasks.utils.connect import connect
from tasks.utils.keys import Keys

redis = connect(sys.argv[1])

def compute():
    redis.incr("computations")
    redis.blpop("gate", 20)
    return "answer"

redis.incr("callers")
print(CacheManager(redis, Keys(), wait=timedelta(seconds=20)).get_or_compute("report", compute))
"""


def test_of_several_processes_one_computes_and_all_have_the_answer(server: Server, client: Any) -> None:
    command = [sys.executable, "-c", CALLER, server.url]
    callers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    done = threading.Event()
    while int(client.get("callers") or 0) < 4 or int(client.get("computations") or 0) < 1:
        done.wait(0.02)
    client.rpush("gate", "open")

    answers = [caller.communicate(timeout=30)[0].strip() for caller in callers]

    assert answers == ["answer"] * 4
    assert client.get("computations") == "1"


def test_without_a_server_everything_is_computed_and_the_server_is_left_alone_for_a_while(
    tmp_path: Path, keys: Keys
) -> None:
    with start_server(tmp_path, persist=False) as server:
        url = server.url
    answers = Answers()
    with connect(url, connect_timeout=0.5) as gone:
        cache = CacheManager(gone, keys)

        assert [cache.get_or_compute("n", answers) for _ in range(100)] == list(range(1, 101))
        assert not cache.invalidate("t")
    assert cache.counts == {"away": 100}


def test_a_script_without_any_wiring_uses_the_server_of_the_cache(server: Server, client: Any, tmp_path: Path) -> None:
    script = "from tasks.utils.cache_manager import CacheManager\nprint(CacheManager().get_or_compute('n', lambda: 7))"
    environment = {
        **os.environ,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "TOCSIN_CACHE__REDIS_URL": server.url,
        "TOCSIN_STATE_DIR": str(tmp_path),
    }

    done = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True)

    assert done.stdout == "7\n"
    assert CacheManager(client, _keys()).get_or_compute("n", never) == 7


def _keys() -> Keys:
    from tasks.utils.keys import Keys

    return Keys()
