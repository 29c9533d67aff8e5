"""Looks at the signature of every task message before it is a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from celery.exceptions import InvalidTaskError

from tasks.utils.hints import HINTED
from tasks.utils.task_signatures import Signature, Signed
from workers.queues import GROUPS
from workers.signing import may_send

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a message that carries no work must not have: each of these would make it do something.
WORK: Final = ("eta", "expires", "group", "shadow", "stamps", "tocsin_slot", "chord")
EVERYTHING: Final = "cli"  # the role that may send every task
HINT_HEADERS: Final = {
    "lang",
    "task",
    "id",
    "root_id",
    "parent_id",
    "group",
    "shadow",
    "eta",
    "expires",
    "retries",
    "timelimit",
}
HINT_HEADERS_TOO: Final = {"argsrepr", "kwargsrepr", "origin", "ignore_result", "redelivered"}


class ForgedError(InvalidTaskError):
    """A message that nobody who may has sent; the text goes on after "a message"."""


class Verifies(Protocol):
    """See `tasks.utils.task_signatures.Verifier`."""

    def fault(self, message: Signed, signature: Signature) -> str: ...  # noqa: D102


class Gatekeeper:
    """Lets those messages of one worker group through that somebody who may has signed, and hints, which carry no work."""

    def __init__(self, verifier: Verifies, group: str) -> None:
        self._verifier = verifier
        self._queues = GROUPS[group]

    def check(self, message: Any) -> None:
        """Raise ForgedError for a message that must not run."""
        headers: Mapping[str, Any] = message.headers or {}
        signature = Signature.read(headers)
        if signature is None:
            if not _is_hint(message, self._queues):
                raise ForgedError("is not signed (security.sign_tasks is on): its sender needs the key of a role")
            return
        signed = Signed(headers, message.properties, _raw(message.body), signature.queue)
        fault = self._verifier.fault(signed, signature) or self._misuse(signature, message)
        if fault:
            raise ForgedError(fault)

    def _misuse(self, signature: Signature, message: Any) -> str:
        task = str(message.headers.get("task"))
        if not may_send(signature.role, task):
            return f"calls {task!r}, which the role {signature.role!r} that signed it may not"
        if signature.role != EVERYTHING and any((_embed(message.payload) or {}).values()):
            # What follows a task is sent, and signed, by the worker: it may do more than whoever asked for it.
            return f"has tasks follow it, which the role {signature.role!r} that signed it may not"
        if signature.queue not in self._queues:
            return f"was signed for the queue {signature.queue!r} and came by another"
        return ""


def _is_hint(message: Any, queues: tuple[str, ...]) -> bool:
    """Whether a message says nothing but "look at your rows".

    Scripts make these inside the server, where no key is; whoever forges one only has rows looked at.
    """
    headers, body = message.headers or {}, message.payload
    wanted = {(task, queue) for task, queue in HINTED.values() if queue in queues}
    embed = _embed(body)
    return (
        any(headers.get("task") == task for task, _ in wanted)
        and set(headers) <= HINT_HEADERS | HINT_HEADERS_TOO
        and not any(headers.get(name) for name in WORK)
        and embed is not None
        and not any((*body[:2], *embed.values()))
    )


def _embed(body: Any) -> dict[str, Any] | None:
    """What is to be called after a task, of its message's body."""
    return body[2] if isinstance(body, list | tuple) and len(body) == 3 and isinstance(body[2], dict) else None


def _raw(body: Any) -> bytes:
    return body if isinstance(body, bytes) else str(body).encode()
