"""Acts of tasks: who sent a task, what it is done to, and what its messages carry on to others."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, get_args

from tasks.utils.act_context import Underway, underway
from tasks.utils.act_fields import detail_of, object_of
from tasks.utils.actor import Actor, Kind
from tasks.utils.audit_logger import Act

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping

HEADER: Final = "tocsin_act"  # of a message: on whose behalf it is sent, and as a consequence of what
LONGEST_CORRELATION: Final = 100
KINDS: Final = get_args(Kind)


def carry(headers: MutableMapping[str, Any]) -> None:
    """Have the message that is sent now say on whose behalf, where it is sent within an act or by a task."""
    act = underway()
    if act is not None:
        actor = [act.actor.kind, act.actor.name, act.actor.origin]
        headers.setdefault(HEADER, {"correlation": act.correlation or act.id, "actor": actor})


def carried_by(request: Any) -> dict[str, str]:
    """The correlation id a task's message brings, by its name in log lines; nothing where it brings none."""
    said = getattr(request, HEADER, None)
    correlation = said.get("correlation") if isinstance(said, dict) else None
    return {"correlation": str(correlation)[:LONGEST_CORRELATION]} if correlation else {}


def caller_of(request: Any) -> tuple[Actor, str]:
    """On whose behalf a task runs, and the id that ties it to what it follows from: a request's, or the first task's.

    Whoever may write to the queues may say here what he likes; signed task messages tell who did.
    """
    said = getattr(request, HEADER, None)
    root = str(getattr(request, "root_id", None) or request.id)
    if isinstance(said, dict):
        correlation = str(said.get("correlation") or root)
        actor = said.get("actor")
        if isinstance(actor, list | tuple) and len(actor) == 3 and actor[0] in KINDS:
            return Actor(actor[0], str(actor[1]), str(actor[2])), correlation
    origin = str(getattr(request, "origin", None) or "")
    slot = getattr(request, "tocsin_slot", None)
    return Actor("schedule", str(slot), origin) if slot else Actor("producer", origin or "unknown", origin), root


def within_task(request: Any) -> Underway:
    """What goes on while a task runs that is no act itself: what it does, and sends on, is its caller's."""
    actor, correlation = caller_of(request)
    return Underway("", actor, correlation)


def act_of_task(name: str, arguments: Mapping[str, Any], request: Any) -> Act:
    """The act of running a task."""
    actor, correlation = caller_of(request)
    worker = str(getattr(request, "hostname", None) or "")
    detail = {**detail_of(arguments), "task": request.id, **({"worker": worker} if worker else {})}
    return Act(name, object_of(name.partition(".")[0], arguments), actor, "ok", correlation, detail)


def arguments_of(run: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by their names, defaults included; those by name alone where the call has another shape."""
    try:
        bound = inspect.signature(run).bind(*args, **kwargs)
    except TypeError:
        return dict(kwargs)
    bound.apply_defaults()
    named = dict(bound.arguments)
    return {**named, **named.pop("asked", {})} if isinstance(named.get("asked"), dict) else named


def changes_nothing(harmless: Mapping[str, Collection[Any]], arguments: Mapping[str, Any]) -> bool:
    """Whether an argument has a value with which the task only looks."""
    return any(arguments.get(name) in values for name, values in harmless.items())
