"""From what stands in a mapping's file to a mapping; every fault is reported with its line and the way to mend it."""

from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from config.findings import findings
from config.mapping_fields import FieldReader
from config.mapping_paths import HEADER, ITEM
from config.mapping_values import Roots, file_name, join, place
from config.mappings import Options, Rule, Shape, Value, WebhookMapping
from config.sources import Node
from config.variables import Report

SHAPE_MEND: Final = "write entries with `fields` and, where wanted, name, when, each, ignore"
RULE_MEND: Final = "write entries with a `name` and a `when`"
NAME_MEND: Final = "use letters, digits and _, and neither item nor header"
DOCUMENT: Final[Roots] = frozenset({"", HEADER})


def compile_mapping(node: Node, name: str, report: Report) -> WebhookMapping | None:
    """The mapping in the node of a file; None where something is wrong with it, which is reported."""
    compiler = _Compiler(report)
    mapping = compiler.mapping(node, name)
    return None if compiler.faults else mapping


class _Compiler(FieldReader):
    def mapping(self, node: Node, name: str) -> WebhookMapping:
        given = self.members(node, "", (*Options.model_fields, "let", "ignore", "alerts"), SHAPE_MEND)
        roots, let = self._let(given.get("let"))
        if "alerts" not in given:
            self.fault(node, "alerts", "is missing", SHAPE_MEND)
        return WebhookMapping(
            name=name,
            place=file_name(node),
            options=self._options({key: given[key] for key in Options.model_fields if key in given}, node),
            let=let,
            ignore=self._rules(given.get("ignore"), "ignore", roots),
            alerts=tuple(self._shapes(given.get("alerts"), roots)),
        )

    def _options(self, given: dict[str, Node], node: Node) -> Options:
        part = Node(given, node.origin)
        try:
            return Options.model_validate(part.plain())
        except ValidationError as error:
            for problem in findings(error, Options, part):
                self.faults += 1
                self.report(problem)
            return Options()

    def _let(self, node: Node | None) -> tuple[Roots, dict[str, Value]]:
        """What `let` names, in order: each may look at those before it, and never at $item."""
        roots = DOCUMENT
        let: dict[str, Value] = {}
        if node is not None and not isinstance(node.value, dict):
            self.fault(node, "let", "must be names with values", "write NAME: {from: PATH, parse: json}")
            return roots, let
        for name, below in (node.value if node and isinstance(node.value, dict) else {}).items():
            value = self.value(below, f"let.{name}", roots)
            if not name.isidentifier() or not name.isascii() or name in (HEADER, ITEM):
                self.fault(below, f"let.{name}", "is no name that can be given", NAME_MEND)
            if value is not None:
                let[name] = value
            roots |= {name}
        return roots, let

    def _rules(self, node: Node | None, key: str, roots: Roots) -> tuple[Rule, ...]:
        rules = []
        for entry, at in self.entries(node, key, RULE_MEND) if node else []:
            given = self.members(entry, at, ("name", "when"), RULE_MEND)
            if len(given) < 2:
                self.fault(entry, at, "needs a name and a when", RULE_MEND)
                continue
            name = self.text(given["name"], join(at, "name"), RULE_MEND)
            rules.append(Rule(name or "", self.condition(given["when"], join(at, "when"), roots)))
        return tuple(rules)

    def _shapes(self, node: Node | None, roots: Roots) -> Iterator[Shape]:
        entries = self.entries(node, "alerts", SHAPE_MEND) if node else []
        if node is not None and node.value == []:
            self.fault(node, "alerts", "is empty", SHAPE_MEND)
        for entry, at in entries:
            given = self.members(entry, at, ("name", "when", "each", "ignore", "fields"), SHAPE_MEND)
            if "fields" not in given:
                self.fault(entry, join(at, "fields"), "is missing", SHAPE_MEND)
            else:
                yield self._shape(entry, at, given, roots)

    def _shape(self, node: Node, key: str, given: dict[str, Node], roots: Roots) -> Shape:
        name = self.text(given["name"], join(key, "name"), "write a few words") if "name" in given else None
        inner = roots | {ITEM} if "each" in given else roots
        return Shape(
            name=name or key,
            place=place(node),
            when=self.condition(given["when"], join(key, "when"), roots) if "when" in given else (),
            each=self.path(given["each"], join(key, "each"), roots) if "each" in given else None,
            ignore=self._rules(given.get("ignore"), join(key, "ignore"), inner),
            fields=self.fields(given["fields"], join(key, "fields"), inner),
        )
