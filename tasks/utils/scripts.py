"""The Lua scripts: one verb a file, each change of several keys in one of them."""

from __future__ import annotations

import re
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import MasterDownError, NoScriptError, OutOfMemoryError, ReadOnlyError, RedisError

from tasks.utils.hints import lua_hints
from tasks.utils.keys import LEDGER, Keys, with_key_names
from tasks.utils.lua_pruning import prune

if TYPE_CHECKING:
    from collections.abc import Sequence

Argument = str | float | bytes
Call = tuple[Any, ...]  # a script's name and its arguments

CLASSES: Final = {"OOM": OutOfMemoryError, "READONLY": ReadOnlyError, "MASTERDOWN": MasterDownError}
LUA: Final = Path(__file__).with_name("lua")
MANY: Final = (LUA / "lib" / "many.lua").read_text()
MANY_AT_ONCE: Final = 20  # calls of one script in a row: the server has others to serve
INCLUDE: Final = re.compile(r"^-- include: (\w+)$", re.MULTILINE)


@cache
def source(name: str, prefix: str, stream: str = LEDGER, *, many: bool = False) -> str:
    """The whole text of `lua/<name>.lua`, as the server gets it; `many`: of the script that makes many calls of it."""
    return assembled((LUA / f"{name}.lua").read_text(), prefix, stream, many=many)


def assembled(text: str, prefix: str, stream: str = LEDGER, *, many: bool = False) -> str:
    """A script with what it needs of the shared parts it includes, then its own lines, key names written out."""
    parts: dict[str, str] = {}
    _include(text, parts)
    hints = [f'local P = "{prefix}"', lua_hints()] if "hint" in parts else []
    own, shared = _without_comments(text), _without_comments("\n".join(parts.values()))
    main = _without_comments(MANY).replace("OWN_LINES", own) if many else own
    return with_key_names("\n".join([*hints, prune(shared, own), main]), prefix, stream)


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
        self._registered: dict[tuple[str, bool], Any] = {}

    def run(self, name: str, *args: Argument) -> Any:
        """What script `name` returns."""
        return self._script(name)(args=args)

    def run_many(self, calls: Sequence[Call]) -> list[Any]:
        """What each script returns, called in this order in one round trip. Raises the first error there was; the others ran all the same.

        A server that was restarted has forgotten the scripts: those calls are made again. (The pipeline's own support for
        scripts asks the server each time whether it knows them, which costs a second round trip.)
        """
        rows = [list(row) for _, row in groupby(calls, key=itemgetter(0))]
        batches = [row[i : i + MANY_AT_ONCE] for row in rows for i in range(0, len(row), MANY_AT_ONCE)]
        pipe = self.client.pipeline(transaction=False)
        for batch in batches:
            pipe.execute_command("EVALSHA", self._script(batch[0][0], many=True).sha, 0, *_flat(batch))
        answers = pipe.execute(raise_on_error=False)
        replies = []
        for batch, answer in zip(batches, answers, strict=True):
            replies += self._settle(batch, answer)
        for error in (reply for reply in replies if isinstance(reply, Exception)):
            raise _classed(error)
        return replies

    def _script(self, name: str, *, many: bool = False) -> Any:
        if (name, many) not in self._registered:
            text = source(name, self._prefix, self._stream, many=many)
            self._registered[name, many] = self.client.register_script(text)
        return self._registered[name, many]

    def _settle(self, batch: Sequence[Call], answer: Any) -> Any:
        if isinstance(answer, NoScriptError):
            return self._script(batch[0][0], many=True)(args=_flat(batch))
        return [answer] if isinstance(answer, Exception) else answer


def _classed(error: Exception) -> Exception:
    """The error of one call under the class it has where it is the whole answer; as a part of one it comes without."""
    kind: type[RedisError] | None = CLASSES.get(str(error).partition(" ")[0])
    return kind(str(error)) if kind else error


def _flat(batch: Sequence[Call]) -> list[Argument]:
    """Calls of one script as lib/many.lua takes them."""
    return [part for _, *args in batch for part in (len(args), *args)]
