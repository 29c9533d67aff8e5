"""Ready-made Celery messages, so that a Lua script can write rows and wake a worker in one step.

A hint carries no work: it says "there are rows". Losing one delays the rows until the pump's next look; nothing else.
The envelope is kombu's for Redis with Celery's message protocol 2, as a plain `send_task` would write it.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

ID_MARK: Final = "@hint@"
HINTED: Final = {  # kind of rows (or the pulse, which has none) -> the task that looks after them, and its queue
    "alert": ("alerts.submit", "alert"),
    "delivery": ("notifications.deliver", "delivery"),
    "digest": ("notifications.digest", "delivery"),
    "webhook": ("webhooks.process", "webhook"),
    "escalation": ("escalations.advance", "escalation"),
    "action": ("incidents.act", "escalation"),
    "receipt": ("incidents.verify", "escalation"),
    "sync": ("incidents.sync", "escalation"),
    "pulse_alert": ("alerts.pulse", "alert"),
    "pulse_delivery": ("notifications.pulse", "delivery"),
}


def hint_message(task: str, queue: str) -> str:
    """The message that calls `task` without arguments, `ID_MARK` standing where its id goes."""
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    body = base64.b64encode(json.dumps([[], {}, embed]).encode()).decode()
    return json.dumps(
        {
            "body": body,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": _headers(task),
            "properties": {
                "correlation_id": ID_MARK,
                "reply_to": "",
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": ID_MARK,
            },
        }
    )


def _headers(task: str) -> dict[str, Any]:
    return {
        "lang": "py",
        "task": task,
        "id": ID_MARK,
        "root_id": ID_MARK,
        "parent_id": None,
        "group": None,
        "shadow": None,
        "eta": None,
        "expires": None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": "()",
        "kwargsrepr": "{}",
        "origin": "tocsin",
        "ignore_result": True,
    }


def lua_hints() -> str:
    """The hint messages and their queues as Lua tables: `HINTS.alert`, `QUEUES.alert`."""
    rows = "".join(
        f"HINTS.{kind} = [==[{hint_message(task, queue)}]==]\nQUEUES.{kind} = '{queue}'\n"
        for kind, (task, queue) in HINTED.items()
    )
    return f"local HINTS, QUEUES = {{}}, {{}}\n{rows}"
