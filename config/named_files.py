"""Files whose name is the name of what stands in them."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from config.errors import Problem
from config.findings import findings
from config.section import Section
from config.sources import Node, Origin
from config.variables import Report

Named = TypeVar("Named", bound=Section)


def check_named(node: Node, model: type[Named], path: Path, shown: str, report: Report) -> Named | None:
    """What stands in one file, by itself; None where something is wrong with it, which is reported."""
    name = node.child("name")
    if name is None or name.value is None:
        node.put(("name",), path.stem, Origin(shown))
    elif name.value != path.stem:
        mend = f"write `name: {path.stem}`, or rename the file to {name.value}.yaml"
        report(Problem(str(name.origin), "name", f"is {name.value!r}, but the file is {path.name}", mend))
    try:
        return model.model_validate(node.plain())
    except ValidationError as error:
        for problem in findings(error, model, node):
            report(problem)
        return None
