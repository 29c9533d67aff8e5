"""An OpenAPI 3.0 file as a validator can use it: found, read once, its schemas turned into JSON Schema."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from jsonschema_rs import Draft4, Draft4Validator, ReferencingError, Registry, ValidationError

from tests.openapi.exceptions import INCLUDED, LEFT_OUT, NULLS, SAME_TYPES
from tests.openapi.unknown import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = Path(os.environ.get("TOCSIN_OPENAPI_DIR") or Path(__file__).parents[3] / "shared" / "pagerduty")
METHODS = ("get", "put", "post", "delete", "patch")
URI = "urn:openapi"
TYPES = ("array", "boolean", "integer", "number", "object", "string")
# Read and written values differ in what an object must have: a request need not know what the server makes.
REQUEST, ANSWER = "request", "answer"
OTHER_SIDE = {REQUEST: "readOnly", ANSWER: "writeOnly"}


class Operation(NamedTuple):
    """One method of one path. `pointer` is where it stands in the document."""

    template: str
    method: str
    spec: Mapping[str, Any]
    pointer: str


def is_at_hand() -> bool:
    """Whether PagerDuty's description lies where it is looked for; it has no licence, so it is no part of ours."""
    return (FOLDER / "rest-openapiv3.json").exists()


@cache
def described(name: str) -> Document:
    """The document of this file name."""
    return Document(json.loads((FOLDER / name).read_bytes()))


class Document:
    """Finds operations and makes validators for the schemas in it, each once."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._registries: dict[str, Registry] = {}
        self._validators: dict[tuple[str, str], Draft4Validator] = {}
        self._own: dict[tuple[str, str], frozenset[str]] = {}
        # A word beats a name: /users/me before /users/{id}.
        self._paths = sorted(raw["paths"], key=lambda path: [part.startswith("{") for part in path.split("/")])
        self._patterns = [(re.compile(re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(one))), one) for one in self._paths]

    def find(self, method: str, path: str) -> tuple[str, Operation | None]:
        """The template of a path ("" = unknown) and the operation of this method on it, if there is one."""
        for pattern, template in self._patterns:
            if pattern.fullmatch(path):
                return template, self._operation(template, method.lower())
        return "", None

    def operations(self) -> Iterator[Operation]:
        """All there are."""
        for template in self._paths:
            for method in METHODS:
                operation = self._operation(template, method)
                if operation is not None:
                    yield operation

    def parameters(self, operation: Operation) -> list[Mapping[str, Any]]:
        """The operation's parameters, those of its path included."""
        shared = self._raw["paths"][operation.template].get("parameters", [])
        return [self.resolve(one) for one in [*shared, *operation.spec.get("parameters", [])]]

    def resolve(self, node: Any) -> Any:
        """What stands at the end of references."""
        while "$ref" in node:
            node = self._at(node["$ref"])
        return node

    def resolve_at(self, pointer: str) -> tuple[str, Any]:
        """The same for the node at a pointer, with the pointer of where it really stands."""
        node = self._at(pointer)
        while "$ref" in node:
            pointer = node["$ref"]
            node = self._at(pointer)
        return pointer, node

    def has(self, pointer: str) -> bool:
        """Whether there is anything at a pointer."""
        try:
            self._at(pointer)
        except (KeyError, IndexError):
            return False
        return True

    def is_usable(self, side: str, pointer: str) -> bool:
        """Whether values can be held against the schema at this pointer."""
        try:
            self._complaints(side, pointer, {})
        except (ValidationError, ReferencingError, LookupError):
            return False
        return True

    def errors(self, side: str, pointer: str, value: object) -> list[str]:
        """What about a value does not fit the schema at this pointer: place and reason, never the value.

        What the document's own examples do wrong is let pass: there the schema is wrong, not the API.
        """
        found = self._complaints(side, pointer, value)
        return [one for one in found if _anywhere(one) not in self._own_complaints(side, pointer)]

    def _complaints(self, side: str, pointer: str, value: object) -> list[str]:
        found = self._validator(side, pointer).iter_errors(value)
        complaints = [f"{'.'.join(str(part) for part in one.instance_path) or 'body'}: {one.message}" for one in found]
        return [*complaints, *unknown(self, self._at(pointer), value)]

    def _own_complaints(self, side: str, pointer: str) -> frozenset[str]:
        if (side, pointer) not in self._own:
            media = self._at(pointer.removesuffix("/schema"))
            examples = [self.resolve(one).get("value") for one in media.get("examples", {}).values()]
            values = [*examples, *([media["example"]] if "example" in media else [])]
            self._own[side, pointer] = frozenset(
                _anywhere(one) for value in values for one in self._complaints(side, pointer, value)
            )
        return self._own[side, pointer]

    def _validator(self, side: str, pointer: str) -> Draft4Validator:
        if (side, pointer) not in self._validators:
            schema = {"$ref": URI + quote(pointer, safe="#/~%")}
            self._validators[side, pointer] = Draft4Validator(
                schema, registry=self._registry(side), validate_formats=True, mask="…"
            )
        return self._validators[side, pointer]

    def _operation(self, template: str, method: str) -> Operation | None:
        spec = self._raw["paths"][template].get(method) if method in METHODS else None
        escaped = template.replace("~", "~0").replace("/", "~1")
        return None if spec is None else Operation(template, method, spec, f"#/paths/{escaped}/{method}")

    def _registry(self, side: str) -> Registry:
        if side not in self._registries:
            self._registries[side] = Registry([(URI, _schema(self._raw, side))], draft=Draft4)
        return self._registries[side]

    def _at(self, pointer: str) -> Any:
        node = self._raw
        for part in pointer.removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
            node = node[int(name)] if isinstance(node, list) else node[name]
        return node


def _anywhere(complaint: str) -> str:
    return re.sub(r"\b\d+\b", "n", complaint)


def _schema(node: Any, side: str) -> Any:
    """A schema of OpenAPI 3.0 in the words of JSON Schema; what is no schema comes out as it is."""
    if isinstance(node, list):
        return [_schema(one, side) for one in node]
    if not isinstance(node, dict):
        return node
    # Examples are data, not schemas.
    made = {key: _schema(value, side) for key, value in node.items() if key not in ("example", "examples", "default")}
    if isinstance(made.get("enum"), list):
        made["enum"] += [one for one, known in SAME_TYPES.items() if made["enum"] == [known]]
    _properties(made, side)
    # The real answers fit several of the shapes, which share most of their fields; one is enough.
    if isinstance(made.get("oneOf"), list):
        made.setdefault("anyOf", [*made["oneOf"], *_left_out(made.pop("oneOf"))])
    if isinstance(made.get("$ref"), str):
        made["$ref"] = made["$ref"].replace("/oneOf/", "/anyOf/")
    return _or_null(made) if made.pop("nullable", None) is True else made


def _included(shape: str) -> dict[str, Any]:
    named = {"$ref": f"#/components/schemas/{shape.strip('[]')}"}
    return {"type": "array", "items": named} if shape.startswith("[") else named


def _left_out(shapes: list[Any]) -> list[dict[str, str]]:
    listed = {str(one.get("$ref")).rpartition("/")[2] for one in shapes if isinstance(one, dict)}
    return [{"$ref": f"#/components/schemas/{one}"} for one, last in LEFT_OUT.items() if last in listed]


def _properties(made: dict[str, Any], side: str) -> None:
    if isinstance(made.get("type"), str) and made["type"] not in TYPES:
        del made["type"]  # "incident_reference" is no type
    if made.get("format") == "time":
        del made["format"]  # 09:00:00, which has no zone, is the API's form
    properties, required = made.get("properties"), made.get("required")
    if isinstance(properties, dict):
        made["properties"] = {name: _or_null(one) if name in NULLS else one for name, one in properties.items()}
        for marker, shapes in INCLUDED.items():
            for name, shape in shapes.items() if marker in properties else ():
                made["properties"][name] = {"anyOf": [made["properties"][name], _included(shape)]}
    if isinstance(properties, dict) and isinstance(required, list):
        made["required"] = [one for one in required if not _is_foreign(properties.get(one), side)]
        if not made["required"]:
            del made["required"]  # an empty list is not allowed


def _is_foreign(declared: Any, side: str) -> bool:
    return isinstance(declared, dict) and declared.get(OTHER_SIDE[side]) is True


def _or_null(made: dict[str, Any]) -> dict[str, Any]:
    if "enum" in made:
        made["enum"] = [*made["enum"], None] if None not in made["enum"] else made["enum"]
    if isinstance(made.get("type"), str) and not {"allOf", "anyOf", "$ref"} & set(made):
        return {**made, "type": [made["type"], "null"]}
    return {"anyOf": [{"type": "null"}, made]}
