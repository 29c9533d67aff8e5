"""Grants: the proof in a task's message that whoever sent it was allowed to. Nobody makes one without the encryption key."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from config.keyring import derive, prf
from tasks.tokens.destructive import DESTRUCTIVE
from tasks.utils.actor import Actor
from tasks.utils.error_handler import DeniedError
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.utils.clock import Clock
    from tasks.utils.keys import Keys

HEADER: Final = "grant"
LABEL: Final = b"tocsin grants"
MOST_BYTES: Final = 4096
KEPT: Final = timedelta(days=7)  # longer than any message comes back
SKEW_MS: Final = 1000
HOW: Final = "send it with `tocsin task run`, which asks for what is needed"


@dataclass(frozen=True)
class Call:
    """One call of a task: its name, the id of its message, and its arguments."""

    task: str
    task_id: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """What the arguments are, whatever way they were brought into JSON."""
        plain = json.dumps([list(self.args), dict(self.kwargs)], sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(plain.encode()).hexdigest()


@dataclass(frozen=True)
class GrantRules:
    """`keys` sign by their names, the first one new grants; `schedules` are the scopes that scheduled tasks act with."""

    keys: Mapping[str, bytes]
    lifetime: timedelta
    schedules: frozenset[str]


class Grants:
    """Issues grants and checks them. One is good for one call: this task, this message, these arguments; and for one run of it."""

    def __init__(self, client: Any, keys: Keys, clock: Clock, rules: GrantRules) -> None:
        self._scripts = Scripts(client, keys)
        self._clock = clock
        self._rules = rules

    def issue(self, act: str, call: Call, actor: Actor) -> str:
        """The grant for a call that `actor` has been allowed to make; DeniedError if a schedule may not."""
        self._check_schedule(act, actor)
        if not self._rules.keys:
            raise DeniedError("no grant can be made: ENCRYPTION_KEY is not set")
        kid, key = next(iter(self._rules.keys.items()))
        now = self._clock.now_ms()
        said = {
            "id": uuid4().hex,
            "act": act,
            "task": call.task,
            "of": call.task_id,
            "arguments": call.digest,
            "actor": [actor.kind, actor.name, actor.origin],
            "at": now,
            "until": now + round(self._rules.lifetime.total_seconds() * 1000),
        }
        content = f"{kid}.{_encode(json.dumps(said, separators=(',', ':')).encode())}"
        return f"{content}.{_encode(prf(key, content.encode()))}"

    def begin(self, text: object, act: str, call: Call) -> tuple[str, Actor]:
        """The grant's id and who holds it, once it is found good for this call; DeniedError says why another is not.

        A message that comes back after its worker died may begin again; one that came to its end may not.
        """
        said = self._read(text, f"{call.task} changes what cannot be had back, and its message")
        wanted = {"act": act, "task": call.task, "of": call.task_id, "arguments": call.digest}
        for name, value in wanted.items():
            if said[name] != value:
                raise DeniedError(f"the grant is for {_ODD[name]}; {HOW}")
        actor = Actor(*said["actor"])
        self._check_schedule(act, actor)
        until, keep = said["until"], said["until"] + round(KEPT.total_seconds() * 1000)
        answer = str(self._scripts.run("grant_begin", said["id"], said["at"] - SKEW_MS, until, keep))
        if answer != "ok":
            raise DeniedError(f"the grant {_ANSWERS[answer]}; {HOW}")
        return said["id"], actor

    def end(self, grant_id: str) -> None:
        """Say that its task has come to an end, well or not: it is good for nothing more."""
        self._scripts.run("grant_end", grant_id)

    def _read(self, text: object, what: str) -> dict[str, Any]:
        if not isinstance(text, str) or not text:
            raise DeniedError(f"{what} holds no grant; {HOW}")
        content, _, signature = text.rpartition(".")
        kid, _, said = content.partition(".")
        key = self._rules.keys.get(kid)
        if key is None or len(text) > MOST_BYTES:
            raise DeniedError(f"the grant is signed with no key that is known here; {HOW}")
        if not hmac.compare_digest(_encode(prf(key, content.encode())).encode(), signature.encode("utf-8", "replace")):
            raise DeniedError(f"the grant's signature does not fit its content; {HOW}")
        return json.loads(urlsafe_b64decode(said + "=" * (-len(said) % 4)))  # type: ignore[no-any-return]

    def _check_schedule(self, act: str, actor: Actor) -> None:
        scope = DESTRUCTIVE[act].scope
        if actor.kind == "schedule" and scope not in self._rules.schedules:
            raise DeniedError(f"schedules may not {DESTRUCTIVE[act].about}: access.schedules does not name {scope}")


def signing_key(master: str) -> tuple[str, bytes]:
    """The key that signs grants, and its public name, made of an encryption key as the settings have it."""
    key = derive(urlsafe_b64decode(master.translate(str.maketrans("+/", "-_"))), LABEL)
    return prf(key, b"id")[:4].hex(), key


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


_ODD: Final = {
    "act": "another act",
    "task": "another task",
    "of": "another message",
    "arguments": "the same task with other arguments",
}
_ANSWERS: Final = {
    "used": "has been used up: its task has come to its end before",
    "late": "has expired before its task began (access.grant_lifetime)",
    "early": "is dated in the future",
}
