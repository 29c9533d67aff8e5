"""The Lua scripts: one verb a file, each change of several keys in one of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from tasks.utils.hints import lua_hints
from tasks.utils.keys import Keys, with_key_names

LUA: Final = Path(__file__).with_name("lua")
INCLUDE: Final = re.compile(r"^-- include: (\w+)$", re.MULTILINE)


@cache
def source(name: str, prefix: str) -> str:
    """The whole text of `lua/<name>.lua`: shared parts it includes, then its own lines, key names written out."""
    text = (LUA / f"{name}.lua").read_text()
    included = INCLUDE.findall(text)
    parts = [(LUA / "lib" / f"{part}.lua").read_text() for part in included]
    hints = [f'local P = "{prefix}"', lua_hints()] if "hint" in included else []
    code = "\n".join([*hints, *parts, text])
    return with_key_names(re.sub(r"^--.*$", "", code, flags=re.MULTILINE), prefix)


class Scripts:
    """Runs scripts on one client. With an asyncio client every call returns an awaitable."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self.client = client
        self._prefix = keys.prefix
        self._registered: dict[str, Any] = {}

    def run(self, name: str, *args: str | float | bytes, client: Any = None) -> Any:
        """What script `name` returns; `client` may be a pipeline of the same server."""
        if name not in self._registered:
            self._registered[name] = self.client.register_script(source(name, self._prefix))
        return self._registered[name](args=args, client=client)
