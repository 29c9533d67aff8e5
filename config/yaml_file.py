"""YAML read into nodes that know their line."""

import re
from pathlib import Path

import yaml

from config.errors import Problem
from config.sources import Node, Origin
from config.variables import Report, Variables, expand

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MOST_VALUES = 100_000
DEEPEST = 100
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(path: Path, shown: str, variables: Variables) -> Node | None:
    """The content of one YAML file, None where it cannot be read; what is wrong is reported.

    Every plain value stays the text it is in the file (`yes`, `007` and `1e3` are not reinterpreted):
    the type of its setting decides.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        variables.report(Problem(shown, "", f"cannot be read: {reason}", "correct the file, or remove it"))
        return None
    return parse_yaml(text, shown, variables)


def parse_yaml(text: str, shown: str, variables: Variables) -> Node | None:
    """The same of a text; `shown` names it in problems."""
    try:
        root = _compose(text)
        node = Node({}, Origin(shown)) if root is None else _Reader(shown, variables).node(root, "", ())
    except yaml.YAMLError as error:
        variables.report(_broken(error, text, shown))
        return None
    except _TooLargeError:
        what = (
            f"holds more than {MOST_VALUES} values once its aliases are written out, or is nested deeper than {DEEPEST}"
        )
        variables.report(Problem(shown, "", what, "write shorter lists and fewer aliases (*name)"))
        return None
    if variables.sealed is not None:
        variables.sealed.open(node)
    return _settings_in(node, variables.report)


def _settings_in(node: Node, report: Report) -> Node | None:
    if isinstance(node.value, dict):
        return node
    if node.value is None:
        return Node({}, node.origin)
    report(Problem(str(node.origin), "", "holds no settings", "write keys and values, such as `name: value`"))
    return None


def _compose(text: str) -> yaml.Node | None:
    _refuse_depth(text)
    loader = _Loader(text)
    try:
        root: yaml.Node | None = loader.get_single_node()
    finally:
        loader.dispose()
    return root


def _refuse_depth(text: str) -> None:
    """The C parser composes by recursion and takes the process with it where nesting is endless; its events have no depth."""
    if sum(text.count(mark) for mark in ("[", "{", "- ", "? ")) <= DEEPEST:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _TooLargeError


def _broken(error: yaml.YAMLError, text: str, shown: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else text.count("\n", 0, getattr(error, "position", 0)) + 1
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    # The parser quotes what it stumbled over, which may be part of a secret; single characters are harmless.
    what = re.sub(r"(['\"])(.*?)\1", lambda quoted: quoted[0] if len(quoted[2]) < 3 else "…", what)
    context = getattr(error, "context", None)
    what = f"{context}, {what}" if context else what
    mend = "look at this line and the one before: indentation by spaces, `key: value`, closed quotes and brackets"
    return Problem(f"{shown}:{line}", "", f"broken YAML: {what}", mend)


class _TooLargeError(Exception):
    """A few lines of aliases to aliases can stand for more values than fit into memory."""


class _Reader:
    """Turns YAML's nodes into ours."""

    def __init__(self, shown: str, variables: Variables) -> None:
        self.shown = shown
        self.variables = variables
        self._count = 0

    def node(self, raw: yaml.Node, key: str, above: tuple[yaml.Node, ...], line: int = 0) -> Node:
        self._count += 1
        if self._count > MOST_VALUES or len(above) > DEEPEST:
            raise _TooLargeError
        origin = Origin(self.shown, line or raw.start_mark.line + 1)
        if raw in above:
            self._report(raw, key, "an alias contains itself", "write the value out")
            return Node(None, origin)
        if isinstance(raw, yaml.MappingNode):
            return Node(self._mapping(raw, key, (*above, raw)), origin)
        if isinstance(raw, yaml.SequenceNode):
            return Node([self.node(x, f"{key}[{i}]", (*above, raw)) for i, x in enumerate(raw.value)], origin)
        return self._scalar(raw, key, origin)

    def _mapping(self, raw: yaml.MappingNode, key: str, above: tuple[yaml.Node, ...]) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for name_node, value in raw.value:
            if not isinstance(name_node, yaml.ScalarNode) or name_node.tag == _MERGE:
                self._report(
                    name_node,
                    key,
                    "a key must be a plain word",
                    "write `key: value`; merge keys (<<) are not supported",
                )
                continue
            name = name_node.value
            below = f"{key}.{name}" if key else name
            if name in found:
                first = found[name].origin.line
                self._report(name_node, below, f"is written twice, first in line {first}", "remove one of the two")
                continue
            # The line of the key is where people look, also when its value begins further down.
            found[name] = self.node(value, below, above, name_node.start_mark.line + 1)
        return found

    def _scalar(self, raw: yaml.Node, key: str, origin: Origin) -> Node:
        if raw.tag == _NULL or not isinstance(raw.value, str):
            return Node(None, origin)
        if not raw.tag.startswith("tag:yaml.org,2002:"):
            self._report(raw, key, "YAML tags are not supported", "put a value that begins with ! in quotes")
            return Node(None, origin)
        if "${" not in raw.value:
            return Node(raw.value, origin)
        expansion = expand(raw.value, self.variables, str(origin), key)
        return Node(expansion.text, Origin(origin.name, origin.line, expansion.variable))

    def _report(self, raw: yaml.Node, key: str, what: str, mend: str) -> None:
        self.variables.report(Problem(f"{self.shown}:{raw.start_mark.line + 1}", key, what, mend))
