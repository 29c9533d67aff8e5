"""Values and conditions of a mapping, read from its file."""

from collections.abc import Callable
from typing import Final, TypeVar

from config.errors import Problem, UnfitError, did_you_mean
from config.mapping_paths import ITEM, Hole, Path, Pieces, parse_path, parse_text
from config.mappings import Condition, Test, Value
from config.matchers import Matcher
from config.sources import Node
from config.variables import Report

T = TypeVar("T")
Roots = frozenset[str]  # what paths may begin with: "" is the document, the rest is written with a $

SOURCES: Final = ("from", "text", "first", "hash")
KEYS: Final = (*SOURCES, "parse", "lower", "map", "default")
DEEPEST: Final = 8
VALUE_MEND: Final = (
    'write a text such as "{host}: {title}", or keys: from (a path), text, first, hash; parse, lower, map, default'
)
WHEN_MEND: Final = "write PATH=TEXT, PATH!=TEXT, PATH=~REGEX or PATH!~REGEX, or a list of those: all of them must hold"


class Values:
    """Reads values and conditions; what is wrong goes to `report`, and the answer is then None."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.faults = 0

    def fault(self, node: Node, key: str, what: str, mend: str) -> None:
        """Report one thing that is wrong with a node."""
        self.faults += 1
        self.report(Problem(str(node.origin), key, what, mend))

    def members(self, node: Node, key: str, known: tuple[str, ...], mend: str) -> dict[str, Node]:
        """The keys of a section that are known and have a value; others are reported."""
        if not isinstance(node.value, dict):
            self.fault(node, key, "must be keys and values", mend)
            return {}
        for name, below in node.value.items():
            if name not in known:
                self.fault(below, join(key, name), "there is no such key", did_you_mean(name, known))
            elif below.value is None:
                self.fault(below, join(key, name), "has no value", "write one, or remove the key")
        return {name: below for name, below in node.value.items() if name in known and below.value is not None}

    def entries(self, node: Node, key: str, mend: str) -> list[tuple[Node, str]]:
        """The entries of a list, each with its key; one that is no list is reported."""
        if isinstance(node.value, list):
            return [(below, f"{key}[{index}]") for index, below in node.children()]
        self.fault(node, key, "must be a list", mend)
        return []

    def text(self, node: Node, key: str, mend: str) -> str | None:
        """The plain text of a node."""
        if isinstance(node.value, str):
            return node.value
        self.fault(node, key, "must be a single text", mend)
        return None

    def path(self, node: Node, key: str, roots: Roots) -> Path | None:
        """The path a node writes, beginning with one of `roots`."""
        text = self.text(node, key, "write a path such as alert.title")
        path = self._parsed(parse_path, text, node, key)
        return path if path and self._is_rooted(path, node, key, roots) else None

    def condition(self, node: Node, key: str, roots: Roots) -> Condition:
        """What must hold: one matcher or a list of them, each with a path for a label."""
        nodes = [(node, key)] if isinstance(node.value, str) else self.entries(node, key, WHEN_MEND)
        tests = [self._test(below, at, roots) for below, at in nodes]
        return tuple(test for test in tests if test)

    def _test(self, node: Node, key: str, roots: Roots) -> Test | None:
        matcher = self._parsed(Matcher.parse, self.text(node, key, WHEN_MEND), node, key)
        path = self._parsed(parse_path, matcher.name if matcher else None, node, key)
        return Test(path, matcher) if matcher and path and self._is_rooted(path, node, key, roots) else None

    def value(self, node: Node, key: str, roots: Roots, depth: int = 0) -> Value | None:
        """The value a node describes: a text, or keys that say more."""
        if depth > DEEPEST:
            self.fault(node, key, "is nested too deep", f"use at most {DEEPEST} levels")
        elif isinstance(node.value, str):
            return Value(place(node), pieces=self._pieces(node, key, roots))
        elif isinstance(node.value, dict):
            return self._long_value(node, key, roots, depth)
        else:
            self.fault(node, key, "must be a value" if node.value else "has no value", VALUE_MEND)
        return None

    def _long_value(self, node: Node, key: str, roots: Roots, depth: int) -> Value | None:
        given = self.members(node, key, KEYS, VALUE_MEND)
        named = [name for name in SOURCES if name in given]
        if len(named) != 1:
            what = (
                "needs one of from, text, first, hash" if not named else f"has {' and '.join(named)}, only one can be"
            )
            self.fault(node, key, what, VALUE_MEND)
            return None
        path = self.path(given["from"], join(key, "from"), roots) if "from" in given else None
        default = given.get("default")
        return Value(
            place(node),
            pieces=(Hole(path),) if path else self._pieces(given.get("text"), join(key, "text"), roots),
            first=self._several(given.get("first"), join(key, "first"), roots, depth),
            hash=self._several(given.get("hash"), join(key, "hash"), roots, depth),
            parse=self._word(given.get("parse"), join(key, "parse"), {"json": True}),
            lower=self._word(given.get("lower"), join(key, "lower"), {"true": True, "false": False}),
            table=self._table(given.get("map"), join(key, "map")),
            default=self.value(default, join(key, "default"), roots, depth + 1) if default else None,
        )

    def _several(self, node: Node | None, key: str, roots: Roots, depth: int) -> tuple[Value, ...]:
        if node is None:
            return ()
        entries = self.entries(node, key, "write a list of values")
        if not entries and isinstance(node.value, list):
            self.fault(node, key, "is empty", "write at least one value")
        values = [self.value(below, at, roots, depth + 1) for below, at in entries]
        return tuple(value for value in values if value)

    def _word(self, node: Node | None, key: str, words: dict[str, bool]) -> bool:
        if node is None:
            return False
        word = node.value if isinstance(node.value, str) else ""
        if word not in words:
            self.fault(node, key, "is unknown", f"write {' or '.join(words)}, or remove it")
        return words.get(word, False)

    def _table(self, node: Node | None, key: str) -> dict[str, str] | None:
        if node is None:
            return None
        if not isinstance(node.value, dict) or not node.value:
            self.fault(node, key, "must be a table", "write one line for each word: FROM: TO")
            return None
        texts = {word: self.text(below, join(key, word), "write FROM: TO") for word, below in node.value.items()}
        return {word: text for word, text in texts.items() if text is not None}

    def _pieces(self, node: Node | None, key: str, roots: Roots) -> Pieces:
        if node is None:
            return ()
        pieces = self._parsed(parse_text, self.text(node, key, VALUE_MEND), node, key) or ()
        for path in (piece.path for piece in pieces if isinstance(piece, Hole)):
            self._is_rooted(path, node, key, roots)
        return pieces

    def _parsed(self, parse: Callable[[str], T], text: str | None, node: Node, key: str) -> T | None:
        if text is None:
            return None
        try:
            return parse(text)
        except UnfitError as error:
            self.fault(node, key, str(error), error.mend)
            return None

    def _is_rooted(self, path: Path, node: Node, key: str, roots: Roots) -> bool:
        if path.root in roots:
            return True
        known = ", ".join(sorted(f"${root}" for root in roots if root))
        why = "; $item is known beneath `each` only" if path.root == ITEM else ""
        self.fault(
            node, key, f"there is no ${path.root} here{why}", f"known here: {known}, and the document without a $"
        )
        return False


def place(node: Node) -> str:
    """File and line as they may be told to a sender: without the folders of this machine."""
    return f"{file_name(node)}:{node.origin.line}"


def file_name(node: Node) -> str:
    """The file a node stands in, without its folders."""
    return node.origin.name.rpartition("/")[2]


def join(above: str, name: str) -> str:
    """The key of something beneath a key."""
    return f"{above}.{name}" if above else name
