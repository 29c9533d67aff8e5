from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.openapi.document import Document

    Schemas = list[Mapping[str, Any]]


def unknown(document: Document, schema: Mapping[str, Any], value: object) -> Iterator[str]:
    """The fields of a value that its schema does not describe, by their places."""
    yield from _unknown(document, [schema], value, "")


def _unknown(document: Document, schemas: Schemas, value: object, place: str) -> Iterator[str]:
    parts = [part for one in schemas for part in _parts(document, one)]
    if isinstance(value, list):
        items = [part["items"] for part in parts if "items" in part]
        for number, one in enumerate(value if items else []):
            yield from _unknown(document, items, one, f"{place}{number}.")
    if not isinstance(value, dict) or any(_is_open(part) for part in parts):
        return
    for name, one in value.items():
        found = [part["properties"][name] for part in parts if name in part.get("properties", {})]
        if found:
            yield from _unknown(document, found, one, f"{place}{name}.")
        else:
            yield f"{place}{name}: no such field is described"


def _parts(document: Document, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema and all it is put together from: what any of them describes is described."""
    schema = document.resolve(schema)
    composed = [one for word in ("allOf", "anyOf", "oneOf") for one in schema.get(word, ())]
    if "properties" in schema or not composed:
        yield schema
    for one in composed:
        yield from _parts(document, one)


def _is_open(part: Mapping[str, Any]) -> bool:
    """Whether an object of this shape may have fields of any name."""
    if part.get("additionalProperties") or "discriminator" in part:
        return True  # a discriminator's base has more fields in each of its kinds
    return not part.get("properties") and part.get("type", "object") == "object"
