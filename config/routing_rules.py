"""What is wrong with the routes of the services, beyond the form of each value."""

from collections.abc import Iterator, Mapping

from config.errors import Problem, did_you_mean
from config.sources import Node, Path, dotted

Place = tuple[Path, Node]


def routing_problems(services: Mapping[str, Node]) -> Iterator[Problem]:
    """Every fault of every tree at once, also where other things in the file are at fault, too."""
    for node in services.values():
        yield from _Tree(node, list(services)).problems()


class _Tree:
    """The routes of one service file."""

    def __init__(self, node: Node, services: list[str]) -> None:
        self._services = services
        self._routes = list(_routes(node, ()))
        self._channels = {_text(channel, "name"): channel for channel in _members(node.child("channels"))}
        self._own = tuple(n for n, channel in self._channels.items() if n and not _is_true(channel, "routed_only"))
        self._top = node

    def problems(self) -> Iterator[Problem]:
        yield from self._names()
        for path, node in self._routes:
            yield from self._aims(path, node)
            yield from self._channel_names(path, node)
        yield from self._lists()
        yield from self._unreachable(self._top, ())

    def _names(self) -> Iterator[Problem]:
        first: dict[str, Node] = {}
        for path, node in self._routes:
            name = _text(node, "name")
            if name in first:
                what = f"another route is called {name!r} ({first[name].origin})"
                yield self._problem((*path, "name"), what, "give every route of the service its own name")
            elif name:
                first[name] = node

    def _aims(self, path: Path, node: Node) -> Iterator[Problem]:
        """Where one route leads."""
        said = _said(node)
        if not said:
            mend = "give match, severity or times, or channels or service; or remove it"
            yield self._problem(path, "is empty", mend)
        at = (*path, "service")
        if {"channels", "service"} <= said:
            mend = "keep one of the two: a hand-over takes the other service's own channels"
            yield self._problem(at, "stands beside channels", mend)
        service = _text(node, "service")
        if service and service not in self._services:
            yield self._problem(at, f"there is no service {service!r}", did_you_mean(service, self._services))

    def _channel_names(self, path: Path, node: Node) -> Iterator[Problem]:
        names = _names_in(node)
        for index, name in enumerate(names):
            at = (*path, "channels", index)
            if name not in self._channels:
                mend = did_you_mean(name, [known for known in self._channels if known])
                yield self._problem(at, f"there is no channel {name!r} in this service", mend)
            elif name in names[:index]:
                yield self._problem(at, f"channel {name!r} is in this list already", "name it once")

    def _lists(self) -> Iterator[Problem]:
        """Two lists that begin alike but go on differently would let two events of one alert overtake each other."""
        first = {self._own[0]: (self._own, "the service's own list")} if self._own else {}
        for path, node in self._routes:
            names = _names_in(node)
            if not names or not self._channels.keys() >= set(names):
                continue
            known, whose = first.setdefault(names[0], (names, f"the list of route {_text(node, 'name')!r}"))
            if names != known:
                what = f"begins with {names[0]!r} like {whose} ({', '.join(known)}), but goes on differently"
                mend = "make the two equal, or begin with another channel"
                if known is self._own:
                    mend += "; `routed_only: true` in a channel takes it out of the service's own list"
                yield self._problem((*path, "channels"), what, mend)

    def _unreachable(self, node: Node, above: Path) -> Iterator[Problem]:
        """Routes that no alert can take. An error, for the pages meant for them would go elsewhere, and nobody would notice."""
        ends: list[tuple[str, set[str]]] = []
        for path, route in _beside(node, above):
            conditions = _conditions(route)
            by = next((name for name, earlier in ends if earlier <= conditions), None)
            if by is not None:
                what = f"can never be taken: route {by!r} before it takes every alert that would come here"
                yield self._problem(path, what, f"move it before {by!r}, or write `continue: true` there")
            elif _said(route) and not _is_true(route, "continue"):
                ends.append((_text(route, "name"), conditions))
            yield from self._unreachable(route, path)

    def _problem(self, path: Path, what: str, mend: str) -> Problem:
        return Problem(str(self._top.nearest(path).origin), dotted(path), what, mend)


def _said(route: Node) -> set[str | int]:
    """What a route says beyond its name."""
    return {key for key, child in route.children() if child.value not in (None, [])} - {"name", "continue"}


def _conditions(route: Node) -> set[str]:
    """Its conditions as texts: who has all of another's, and more, fits less."""
    match = {f"match {child.value}" for child in _members(route.child("match"))}
    severity = sorted(str(child.value).strip().lower() for child in _members(route.child("severity")))
    times = [str(child.plain()) for child in _members(route.child("times"))]
    rest = {f"severity {severity}" if severity else "", f"times {times} {_text(route, 'time_zone')}" if times else ""}
    return (match | rest) - {""}


def _routes(node: Node, above: Path) -> Iterator[Place]:
    for path, route in _beside(node, above):
        yield path, route
        yield from _routes(route, path)


def _beside(node: Node, above: Path) -> Iterator[Place]:
    """The routes directly beneath, with their place in the file."""
    found = node.child("routes")
    if found is None or not isinstance(found.value, list):
        return
    for index, route in found.children():
        if isinstance(route.value, dict):
            yield (*above, "routes", index), route


def _members(node: Node | None) -> list[Node]:
    return [child for _, child in node.children()] if node is not None and isinstance(node.value, list) else []


def _names_in(route: Node) -> tuple[str, ...]:
    return tuple(str(child.value).strip() for child in _members(route.child("channels")) if child.value is not None)


def _text(node: Node, key: str) -> str:
    child = node.child(key)
    return child.value.strip() if child is not None and isinstance(child.value, str) else ""


def _is_true(node: Node, key: str) -> bool:
    return _text(node, key).lower() in ("true", "yes", "on", "1", "y", "t")
