from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.request import Handler, Routes


@dataclass(slots=True)
class _Node:
    words: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    names: tuple[str, ...] = ()
    handlers: dict[str, Handler] = field(default_factory=dict)


class Router:
    """Finds the handlers of a path by its template. A word in a template beats a `{name}`: /users/me, /users/{id}."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, routes: Routes) -> None:
        """Serve these too."""
        for (method, template), handler in routes.items():
            node = self._root
            parts = template.strip("/").split("/")
            for part in parts:
                if part.startswith("{"):
                    node.any = node.any or _Node()
                    node = node.any
                else:
                    node = node.words.setdefault(part, _Node())
            node.names = tuple(part[1:-1] for part in parts if part.startswith("{"))
            node.handlers[method] = handler

    def find(self, path: str) -> tuple[Mapping[str, Handler], Mapping[str, str]]:
        """The handlers by method and the named parts of the path; no handlers where there is no such path."""
        values: list[str] = []
        node = _walk(self._root, path.strip("/").split("/"), values)
        return ({}, {}) if node is None else (node.handlers, dict(zip(node.names, values, strict=True)))


def _walk(node: _Node, parts: list[str], values: list[str]) -> _Node | None:
    if not parts:
        return node if node.handlers else None
    first, rest = parts[0], parts[1:]
    word = node.words.get(first)
    found = _walk(word, rest, values) if word else None
    if found is not None or node.any is None or not first:
        return found
    values.append(first)
    found = _walk(node.any, rest, values)
    if found is None:
        values.pop()
    return found
