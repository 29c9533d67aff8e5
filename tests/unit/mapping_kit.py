"""Mappings that a test writes and puts documents through."""

from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from config.errors import ConfigError
from config.mapping_files import load_mapping
from tasks.utils.data_transformer import DataTransformer

FIELDS = """\
event_action: trigger
dedup_key: "{id}"
summary: "{title}"
"""

EACH = """\
ignore:
  - name: test
    when: kind=~test.*
  - name: quiet and old
    when: [kind=quiet, age!=""]
alerts:
  - name: list
    when: items[0]!=""
    each: items
    ignore: [{name: muted, when: $item.muted=true}]
    fields: {event_action: trigger, dedup_key: "{group}/{$item.id}", summary: "{$item.title}"}
  - name: single
    when: title!=""
    fields: {event_action: resolve, dedup_key: "{group}"}
"""


class Mapper:
    """Writes a mapping to a file of its own and reads it as a process would."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "own.yaml"

    def of(self, text: str) -> DataTransformer:
        self.file.write_text(dedent(text), encoding="utf-8")
        return DataTransformer.from_file(self.file)

    def with_fields(self, text: str, above: str = "") -> DataTransformer:
        """A mapping with one shape: the needed fields, and those in `text` in addition."""
        fields = indent(FIELDS + dedent(text), "      ")
        return self.of(f"{dedent(above)}\nalerts:\n  - name: only\n    fields:\n{fields}")

    def value(self, value: str, document: Any, above: str = "") -> Any:
        """What a value, as YAML, comes to for a document."""
        transformer = self.with_fields(f"custom_details: {{it: {value}}}", above)
        [alert] = transformer.alerts({"id": 1, "title": "t", **document})
        return alert["payload"].get("custom_details", {}).get("it")

    def problems(self, text: str) -> list[str]:
        """What is wrong with a mapping, a line each."""
        self.file.write_text(dedent(text), encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_mapping(self.file, {})
        return [str(problem).replace(str(self.file), "own.yaml") for problem in caught.value.problems]
