"""Everything a Redis server holds, as one text to look for something in."""

from __future__ import annotations

import json
from typing import Any


def everything(client: Any) -> str:
    """Every key with all that is in it, messages of queues unpacked (their bodies are base64)."""
    return "\n".join(f"{key}: {_unpacked(_value(client, key))}" for key in sorted(client.scan_iter("*", count=1000)))


def _value(client: Any, key: str) -> Any:
    kind = client.type(key)
    if kind == "string":
        return client.get(key)
    if kind == "hash":
        return client.hgetall(key)
    if kind == "list":
        return client.lrange(key, 0, -1)
    if kind == "set":
        return sorted(client.smembers(key))
    if kind == "zset":
        return client.zrange(key, 0, -1, withscores=True)
    return client.xrange(key)


def _unpacked(value: Any) -> str:
    from base64 import b64decode

    text = json.dumps(value, default=str)
    for part in _strings(value):
        if '"body": "' in part:
            body = part.split('"body": "', 1)[1].split('"', 1)[0]
            text += b64decode(body + "==").decode("utf-8", "replace")
    return text


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [one for part in value.values() for one in _strings(part)]
    if isinstance(value, list | tuple):
        return [one for part in value for one in _strings(part)]
    return []
