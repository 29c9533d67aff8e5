"""Alerts in task messages that no worker has decided on: the ledger does not know them yet, and who loses Redis could not name them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tasks.utils.keys import Keys

GROUP: Final = "alert"  # the queue and the worker group of that name
TASK: Final = "alerts.submit"
MOST_READ: Final = 500  # messages: they may be large


def ask_for_unread(pipe: Any, keys: Keys) -> None:
    """Put on a pipeline what `unread` takes apart: how many messages wait, those next in turn, and those workers have in hand."""
    pipe.llen(keys.queue(GROUP))
    pipe.lrange(keys.queue(GROUP), -MOST_READ, -1)
    pipe.lrange(keys.queue(f"_fetch.inflight.{GROUP}"), 0, MOST_READ - 1)
    pipe.hvals(keys.queue(f"unacked:{GROUP}"))


def unread(answers: Iterable[Any]) -> tuple[int, list[str]]:
    """How many alerts wait in messages, as far as can be told at a look, and the ids their events will have."""
    waiting, queued, fetched, booked = answers
    messages = [*reversed(queued), *fetched, *(json.loads(one)[0] for one in booked)]
    events = list(dict.fromkeys(event for message in messages for event in _events_in(message)))
    return len(events) + max(0, waiting - len(queued)), events


def _events_in(message: Any) -> Iterator[str]:
    """None where it is a hint, another task's, or nothing anybody can read: that is a dead letter as soon as it is read."""
    try:
        whole = message if isinstance(message, dict) else json.loads(message)
        headers = whole["headers"]
        if headers["task"] != TASK:
            return
        arguments, named, _ = json.loads(base64.b64decode(whole["body"]))
        alerts = named.get("alerts") or next(iter(arguments), None) or ()
        yield from (f"{headers['id']}:{index}" for index in range(len(alerts) if isinstance(alerts, list) else 1))
    except (ValueError, TypeError, LookupError, AttributeError):
        return
