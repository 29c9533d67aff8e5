"""Whether the server is fit to keep alerts: version, persistence, policy, memory, rights, clock, disk."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import redis

from tasks.utils.connect import REFUSES_EVERYBODY
from tasks.utils.health_monitor import Line
from tasks.utils.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tasks.utils.health_monitor import State
    from tasks.utils.keys import Keys

LEAST: Final = {"redis": (6, 2), "valkey": (7, 2)}
SLOW_MS: Final = 100.0
FULL: Final = 80  # percent of the clients it takes
REFUSING: Final = "start it, or set REDIS_URL to where it runs; accepted alerts wait in the spool meanwhile"
EVICTS: Final = "`redis-cli config set maxmemory-policy noeviction`, and the same in redis.conf: it throws away accepted alerts as it is"
AOF_OFF: Final = (
    "`redis-cli config set appendonly yes`, and the same in redis.conf: what it holds is lost when it restarts"
)
FSYNC: Final = "`redis-cli config set appendfsync always`, and the same in redis.conf, closes the window in which a power cut loses alerts"


@dataclass(frozen=True)
class ServerRules:
    """What is asked of the server. `name`: its address for people."""

    name: str
    is_production: bool
    memory_percent: int
    skew_ms: int


@dataclass(frozen=True)
class _Facts:
    info: Mapping[str, Any]
    settings: Mapping[str, str]
    took_ms: float
    skew_ms: float
    offset_ms: int
    offset_key: str


class ServerCheck:
    """Asks the server about itself, in three round trips."""

    def __init__(self, client: Any, keys: Keys, rules: ServerRules, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._client = client
        self._keys = keys
        self._rules = rules

    def __call__(self) -> list[Line]:
        """Every line there is; one alone where it does not answer."""
        try:
            facts = self._ask()
            return [*_of_itself(facts, self._rules), *_of_its_data(facts, self._rules), self._rights()]
        except redis.RedisError as error:
            return [self._away(error)]

    def _away(self, error: redis.RedisError) -> Line:
        why = redacted(str(error))[:200]
        if isinstance(error, redis.AuthenticationError | redis.exceptions.NoPermissionError):
            mend = "mend user and password in REDIS_URL, or the rights of that user"
        else:
            mend = "wait: it reads its file" if isinstance(error, redis.BusyLoadingError) else REFUSING
        return Line("server.answer", "fail", f"{self._rules.name}: {type(error).__name__}: {why}", "answers", mend)

    def _ask(self) -> _Facts:
        began, wall = time.monotonic(), self._wall()
        seconds, micros = self._client.time()
        took = time.monotonic() - began
        skew = (seconds + micros / 1e6 - wall - took / 2) * 1000
        return _Facts(
            info=self._client.info("everything"),
            settings=self._settings(),
            took_ms=took * 1000,
            skew_ms=skew,
            offset_ms=int(self._client.get(self._keys.clock) or 0),
            offset_key=self._keys.clock,
        )

    def _settings(self) -> Mapping[str, str]:
        try:
            return self._client.config_get("*")  # type: ignore[no-any-return]
        except redis.ResponseError:  # hosted servers often forbid it
            return {}

    def _rights(self) -> Line:
        """Whether we may do what we do, tried on a key of our own that is gone at once."""
        replies = self._try_everything()
        refused = sorted({str(reply).split("'")[1] for reply in replies if _is_denied(reply)})
        if refused:
            mend = "allow the user in REDIS_URL these commands on keys and channels with our prefix (ACL SETUSER)"
            return Line("server.rights", "fail", f"may not: {', '.join(refused)}", "everything that is needed", mend)
        if others := [str(one) for one in replies if str(one).startswith(REFUSES_EVERYBODY)]:
            return Line("server.rights", "fail", others[0][:120], mend="look at its memory, its disk and its role")
        return Line("server.rights", "ok", "all commands in use")

    def _try_everything(self) -> Sequence[Any]:
        key = f"{self._keys.prefix}health:trial:{uuid.uuid4().hex}"
        pipe = self._client.pipeline(transaction=False)
        for command in TRIALS:
            pipe.execute_command(*(word.replace("@", key) for word in command))
        return pipe.execute(raise_on_error=False)  # type: ignore[no-any-return]


TRIALS: Final[tuple[tuple[str, ...], ...]] = (
    ("LPUSH", "@", "1"),
    ("LLEN", "@"),
    ("LRANGE", "@", "0", "-1"),
    ("BLMOVE", "@", "@", "RIGHT", "LEFT", "0.01"),
    ("BRPOP", "@", "0.01"),
    ("ZADD", "@", "1", "a"),
    ("ZRANGE", "@", "0", "0"),
    ("DEL", "@"),
    ("HSET", "@", "f", "1"),
    ("HGETALL", "@"),
    ("DEL", "@"),
    ("XADD", "@", "*", "f", "1"),
    ("XRANGE", "@", "-", "+"),
    ("EXPIRE", "@", "60"),
    ("EVAL", "redis.call('DEL', KEYS[1]) return redis.call('TIME')", "1", "@"),
    ("PUBLISH", "@", "1"),
)


def _is_denied(reply: Any) -> bool:
    return isinstance(reply, redis.exceptions.NoPermissionError) and "'" in str(reply)


def _of_itself(facts: _Facts, rules: ServerRules) -> Iterator[Line]:
    slow = facts.took_ms > SLOW_MS
    mend = "look at its load, the machine's and the network's: every alert waits for it" if slow else ""
    yield Line("server.answer", "warn" if slow else "ok", f"{facts.took_ms:.1f} ms", f"{SLOW_MS:.0f} ms", mend)
    yield _version(facts.info)
    yield _clients(facts)
    yield _clock(facts, rules)


def _version(info: Mapping[str, Any]) -> Line:
    kind = "valkey" if "valkey_version" in info else "redis"
    number = str(info.get(f"{kind}_version", "0"))
    known = tuple(int(part) for part in re.findall(r"\d+", number)[:2])
    least = ".".join(map(str, LEAST[kind]))
    is_old = known < LEAST[kind]
    mend = f"upgrade it to {kind.title()} {least} or later" if is_old else ""
    return Line("server.version", "fail" if is_old else "ok", f"{kind.title()} {number}", f"{least} or later", mend)


def _clients(facts: _Facts) -> Line:
    used, most = int(facts.info.get("connected_clients", 0)), int(facts.info.get("maxclients") or 0)
    full = most and used * 100 >= most * FULL
    mend = "raise maxclients, or find who opens so many: `redis-cli client list`" if full else ""
    return Line("server.clients", "warn" if full else "ok", f"{used}", f"{FULL} % of {most}" if most else "", mend)


def _clock(facts: _Facts, rules: ServerRules) -> Line:
    """The server's clock is the one that counts; signatures and tokens are judged by this machine's."""
    limit = f"{rules.skew_ms / 1000:g} s"
    if facts.offset_ms and rules.is_production:
        mend = f"`redis-cli DEL {facts.offset_key}`: that key is for tests only"
        return Line("server.clock", "fail", f"set forward by {facts.offset_ms / 1000:.0f} s", limit, mend)
    off = abs(facts.skew_ms) - facts.took_ms / 2
    state: State = "fail" if off > 10 * rules.skew_ms else "warn" if off > rules.skew_ms else "ok"
    mend = "" if state == "ok" else "set the clocks of this machine and of the server by NTP; one of them is wrong"
    return Line("server.clock", state, f"{facts.skew_ms / 1000:+.2f} s from this machine's", limit, mend)


def _of_its_data(facts: _Facts, rules: ServerRules) -> Iterator[Line]:
    yield _persistence(facts)
    if facts.info.get("aof_enabled"):
        yield _fsync(facts, rules)
    yield _disk(facts.info)
    yield from _memory(facts, rules)


def _persistence(facts: _Facts) -> Line:
    is_on = bool(facts.info.get("aof_enabled"))
    return Line("server.aof", "ok" if is_on else "fail", "on" if is_on else "off", "on", "" if is_on else AOF_OFF)


def _fsync(facts: _Facts, rules: ServerRules) -> Line:
    known = facts.settings.get("appendfsync", "not told: the server hides its settings")
    limit = "always" if rules.is_production else "always, in production"
    is_lax = rules.is_production and known != "always"
    return Line("server.fsync", "warn" if is_lax else "ok", known, limit, FSYNC if is_lax else "")


def _disk(info: Mapping[str, Any]) -> Line:
    watched = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")
    faults = [f"{name}:{info[name]}" for name in watched if info.get(name, "ok") != "ok"]
    mend = "make room on the disk of Redis and look at its log; it may lose accepted alerts" if faults else ""
    return Line("server.disk", "fail" if faults else "ok", ", ".join(faults) or "all writes succeeded", mend=mend)


def _memory(facts: _Facts, rules: ServerRules) -> Iterator[Line]:
    used, policy = (
        int(facts.info["used_memory"]),
        facts.settings.get("maxmemory-policy") or facts.info.get("maxmemory_policy", "unknown"),
    )
    most = int(facts.info.get("maxmemory") or facts.info.get("total_system_memory") or 0)
    share = used * 100 // most if most else 0
    full = share >= rules.memory_percent
    mend = "give Redis more memory (maxmemory), or see what fills it: `redis-cli --bigkeys`" if full else ""
    value = f"{used / 1048576:.1f} MB, {share} % of {most / 1048576:.0f} MB"
    yield Line("server.memory", "warn" if full else "ok", value, f"{rules.memory_percent} %", mend)
    evicts = policy not in ("noeviction", "unknown")
    yield Line("server.policy", "fail" if evicts else "ok", policy, "noeviction", EVICTS if evicts else "")
    evicted = int(facts.info.get("evicted_keys", 0))
    mend = f"keys were thrown away since it started; `tocsin prove` says what is lost. {EVICTS}" if evicted else ""
    yield Line("server.evicted", "fail" if evicted else "ok", f"{evicted} keys", "0 keys", mend)
