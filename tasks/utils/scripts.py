"""The Lua scripts: one verb a file, each change of several keys in one of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import NoScriptError

from tasks.utils.hints import lua_hints
from tasks.utils.keys import LEDGER, Keys, with_key_names
from tasks.utils.lua_pruning import prune

if TYPE_CHECKING:
    from collections.abc import Sequence

Argument = str | float | bytes
Call = tuple[Any, ...]  # a script's name and its arguments

LUA: Final = Path(__file__).with_name("lua")
INCLUDE: Final = re.compile(r"^-- include: (\w+)$", re.MULTILINE)


@cache
def source(name: str, prefix: str, stream: str = LEDGER) -> str:
    """The whole text of `lua/<name>.lua`, as the server gets it."""
    return assembled((LUA / f"{name}.lua").read_text(), prefix, stream)


def assembled(text: str, prefix: str, stream: str = LEDGER) -> str:
    """A script with what it needs of the shared parts it includes, then its own lines, key names written out."""
    parts: dict[str, str] = {}
    _include(text, parts)
    hints = [f'local P = "{prefix}"', lua_hints()] if "hint" in parts else []
    own, shared = _without_comments(text), _without_comments("\n".join(parts.values()))
    return with_key_names("\n".join([*hints, prune(shared, own), own]), prefix, stream)


def _without_comments(code: str) -> str:
    """The code without lines and ends of lines that only explain; no string of ours holds two dashes."""
    return re.sub(r"^--.*$|  --[^\n]*$", "", code, flags=re.MULTILINE)


def _include(text: str, parts: dict[str, str]) -> None:
    """Add the parts that `text` includes to `parts`, each once and after what it includes itself."""
    for name in INCLUDE.findall(text):
        if name not in parts:
            part = (LUA / "lib" / f"{name}.lua").read_text()
            _include(part, parts)
            parts[name] = part


class Scripts:
    """Runs scripts on one client. With an asyncio client every call returns an awaitable."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self.client = client
        self._prefix, self._stream = keys.prefix, keys.stream
        self._registered: dict[str, Any] = {}

    def run(self, name: str, *args: Argument) -> Any:
        """What script `name` returns."""
        return self._script(name)(args=args)

    def run_many(self, calls: Sequence[Call]) -> list[Any]:
        """What each script returns, called in this order in one round trip. Raises the first error there was.

        A server that was restarted has forgotten the scripts: those calls are made again, one by one. (The pipeline's own
        support for scripts asks the server each time whether it knows them, which costs a second round trip.)
        """
        pipe = self.client.pipeline(transaction=False)
        for name, *args in calls:
            pipe.evalsha(self._script(name).sha, 0, *args)
        replies = pipe.execute(raise_on_error=False)
        return [self._settle(call, reply) for call, reply in zip(calls, replies, strict=True)]

    def _script(self, name: str) -> Any:
        if name not in self._registered:
            self._registered[name] = self.client.register_script(source(name, self._prefix, self._stream))
        return self._registered[name]

    def _settle(self, call: Call, reply: Any) -> Any:
        if isinstance(reply, NoScriptError):
            return self.run(*call)
        if isinstance(reply, Exception):
            raise reply
        return reply
