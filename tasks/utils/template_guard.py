"""Makes the tree of a template one that can be bounded: refuses what cannot be, and lets every step and every text pay.

Filters whose name begins with `·` are ours alone: no template can name them.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from jinja2 import TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

STEP: Final = "·step"
WEIGH: Final = "·weigh"
FLAT: Final = "·flat"
CONCAT: Final = "·concat"
STEP_WORK: Final = 10

_REFUSED: Final[dict[type[nodes.Node], str]] = {
    nodes.Pow: "** is not offered in templates",
    nodes.FilterBlock: "{% filter %} is not offered in templates; filter the values themselves",
    nodes.EvalContextModifier: "values are always escaped; {% autoescape %} is not offered",
    nodes.ScopedEvalContextModifier: "values are always escaped; {% autoescape %} is not offered",
}
# A body that may run again, however often; a template because it may be included again.
_BODIES: Final = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block, nodes.Template)


def guard(tree: nodes.Template, name: str | None, filename: str | None) -> nodes.Template:
    """The same template, guarded; TemplateSyntaxError where it uses what is refused."""
    guarded: nodes.Template = _Guard(name, filename).visit(tree)
    return guarded


class _Guard(NodeTransformer):
    def __init__(self, name: str | None, filename: str | None) -> None:
        self._name = name
        self._filename = filename

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        if type(node) in _REFUSED:
            self._refuse(_REFUSED[type(node)], node)
        super().generic_visit(node, *args, **kwargs)
        if isinstance(node, _BODIES):
            node.body = [_step(node), *node.body]
        return node

    def visit_For(self, node: nodes.For) -> Any:  # noqa: N802 - Jinja names visitors so
        self.generic_visit(node)
        if node.test is not None:
            step = _filter(STEP, nodes.Const(STEP_WORK, lineno=node.lineno))
            node.test = nodes.And(step, node.test, lineno=node.lineno)
        return node

    def visit_Name(self, node: nodes.Name) -> Any:  # noqa: N802
        if node.name in ("varargs", "kwargs") and node.ctx == "load":
            self._refuse(f"{node.name} is not offered in templates; name the parameters of the macro", node)
        return node

    def visit_Call(self, node: nodes.Call) -> Any:  # noqa: N802
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self._refuse("* and ** in a call are not offered in templates; name the arguments", node)
        return self.generic_visit(node)

    def visit_Concat(self, node: nodes.Concat) -> Any:  # noqa: N802
        self.generic_visit(node)
        return _filter(CONCAT, nodes.List(node.nodes, lineno=node.lineno))

    def visit_Compare(self, node: nodes.Compare) -> Any:  # noqa: N802
        self.generic_visit(node)
        node.expr = _filter(WEIGH, node.expr)
        for operand in node.ops:
            operand.expr = _filter(WEIGH, operand.expr)
        return node

    def visit_List(self, node: nodes.List) -> Any:  # noqa: N802
        return _filter(FLAT, self.generic_visit(node))

    def visit_Dict(self, node: nodes.Dict) -> Any:  # noqa: N802
        return _filter(FLAT, self.generic_visit(node))

    def visit_Tuple(self, node: nodes.Tuple) -> Any:  # noqa: N802
        self.generic_visit(node)
        return _filter(FLAT, node) if node.ctx == "load" else node

    def _refuse(self, why: str, node: nodes.Node) -> NoReturn:
        raise TemplateSyntaxError(why, node.lineno, self._name, self._filename)


def _step(node: nodes.Node) -> nodes.Node:
    """What the body pays each time it runs: for the step, and for the text that stands in it."""
    text = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
    return nodes.ExprStmt(_filter(STEP, nodes.Const(STEP_WORK + text, lineno=node.lineno)), lineno=node.lineno)


def _filter(name: str, node: nodes.Node) -> Any:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
