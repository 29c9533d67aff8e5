"""Values together with where they stand, so that every message can name a file and a line."""

from collections.abc import Iterator
from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value stands: a file and line, or `environment NAME`. `variable` is the ${VAR} it came from, if any.

    `is_sealed`: it stands there encrypted, so that it is shown nowhere, whatever setting it is of.
    """

    name: str
    line: int | None = None
    variable: str | None = None
    is_sealed: bool = False

    def __str__(self) -> str:
        return self.name if self.line is None else f"{self.name}:{self.line}"

    def describe(self) -> str:
        """Where a value stands and, for ${VAR}, where it came from."""
        return f"{self}, ${{{self.variable}}}" if self.variable else str(self)


@dataclass(slots=True)
class Node:
    """A value of a configuration source: a dict of nodes, a list of nodes, or a plain value."""

    value: object
    origin: Origin

    def children(self) -> Iterator[tuple[str | int, "Node"]]:
        """The nodes directly beneath, with their key or index."""
        if isinstance(self.value, dict):
            yield from self.value.items()
        elif isinstance(self.value, list):
            yield from enumerate(self.value)

    def plain(self) -> object:
        """The value without its origins."""
        if isinstance(self.value, dict):
            return self.plain_members()
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def plain_members(self) -> dict[str | int, object]:
        """The mapping beneath without origins; empty where there is none."""
        return {key: child.plain() for key, child in self.children()}

    def child(self, key: str | int) -> "Node | None":
        """The node directly beneath under this key or index."""
        return dict(self.children()).get(key)

    def find(self, path: Path) -> "Node | None":
        """The node at a path."""
        node: Node | None = self
        for key in path:
            node = node.child(key) if node else None
        return node

    def nearest(self, path: Path) -> "Node":
        """The node at a path, or the deepest one on the way to it."""
        node = self
        for key in path:
            below = node.child(key)
            if below is None:
                break
            node = below
        return node

    def put(self, path: Path, value: object, origin: Origin) -> None:
        """Set a value beneath this node, making sections on the way."""
        node = self
        for key in path[:-1]:
            below = node.child(key)
            if below is None or not isinstance(below.value, dict):
                below = Node({}, origin)
                node.members()[key] = below
            node = below
        node.members()[path[-1]] = Node(value, origin)

    def members(self) -> dict[str | int, "Node"]:
        """The mapping beneath; whatever else stood here gives way."""
        if not isinstance(self.value, dict):
            self.value = {}
        return self.value


def dotted(path: Path) -> str:
    """A path as people write it: `channels[0].routing_key`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def merge(below: Node, above: Node) -> Node:
    """Both, key by key; where both have a value the one above counts. An empty heading above changes nothing."""
    if not isinstance(below.value, dict):
        return above
    if above.value is None:
        return below
    if not isinstance(above.value, dict):
        return above
    merged = dict(below.value)
    for key, node in above.value.items():
        merged[key] = merge(merged[key], node) if key in merged else node
    return Node(merged, above.origin)
