from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tests.openapi.document import ANSWER, REQUEST, Document, Operation, described
from tests.openapi.exceptions import ANY_OPERATION, EXCEPTIONS, REFUSALS, UNDESCRIBED, UNNEEDED_HEADERS
from tests.openapi.values import typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Exchange = Mapping[str, Any]

JSON = "application/json"
ERROR = "#/components/responses/Conflict/content/application~1json/schema"


class Checker:
    """Holds exchanges of the sandbox against one description."""

    def __init__(self, document: Document | None = None, prefix: str = "") -> None:
        self._document = document or described("rest-openapiv3.json")
        self._prefix = prefix

    @classmethod
    def of_events(cls) -> Checker:
        """The checker of the Events API."""
        return cls(described("events-v2-openapiv3.json"), prefix="/v2")

    def problems(self, exchange: Exchange) -> list[str]:
        """What is wrong with a request or its answer, one line each; nothing where all is as described."""
        line = f"{exchange['method']} {exchange['path']} -> {exchange['status']}"
        template, operation = self._document.find(exchange["method"], exchange["path"].removeprefix(self._prefix))
        if operation is None:
            found = _of_an_unknown(exchange)
        else:
            found = [*self._of_request(exchange, operation), *self._of_answer(exchange, operation)]
        return [f"{line}: {one}" for one in found if not _is_excepted(exchange["method"], template, one)]

    def unusable(self) -> Iterator[str]:
        """The schemas no validator can be made of; none is the aim."""
        for operation in self._document.operations():
            holders = [(ANSWER, f"responses/{name}") for name in operation.spec["responses"]]
            if "requestBody" in operation.spec:
                holders.append((REQUEST, "requestBody"))
            for side, name in holders:
                pointer, holder = self._document.resolve_at(f"{operation.pointer}/{name}")
                schema = _schema_pointer(pointer, holder)
                if schema and not self._document.is_usable(side, schema):
                    yield schema

    def _of_request(self, exchange: Exchange, operation: Operation) -> Iterator[str]:
        if exchange["status"] in REFUSALS and not exchange["fault"]:
            return
        parameters = self._document.parameters(operation)
        yield from self._of_query(exchange, parameters)
        for one in parameters:
            name = one["name"].lower()
            if one["in"] == "header" and one.get("required") and name not in (*UNNEEDED_HEADERS, *exchange["headers"]):
                yield f"request: the header {one['name']} is required"
        yield from self._of_body(exchange, operation)

    def _of_query(self, exchange: Exchange, parameters: list[Mapping[str, Any]]) -> Iterator[str]:
        known = {one["name"]: one for one in parameters if one["in"] == "query"}
        sent = parse_qsl(exchange["query"], keep_blank_values=True)
        for name, value in sent:
            if name not in known:
                yield f"request: no query parameter {name} is described"
            else:
                yield from self._of_parameter(known[name], value)
        names = {name for name, _ in sent}
        for name, one in known.items():
            if one.get("required") and name not in names:
                yield f"request: the query parameter {name} is required"

    def _of_parameter(self, parameter: Mapping[str, Any], raw: str) -> Iterator[str]:
        schema = self._document.resolve(parameter["schema"])
        items = self._document.resolve(schema.get("items", {})) if schema.get("type") == "array" else schema
        values = raw.split(",") if parameter.get("explode") is False else [raw]
        for value in values:
            problem = typed(items, value)
            if problem:
                yield f"request: the query parameter {parameter['name']} {problem}"

    def _of_body(self, exchange: Exchange, operation: Operation) -> Iterator[str]:
        if "requestBody" not in operation.spec:
            if exchange["request"] is not None:
                yield "request: no body is described"
            return
        pointer, described_body = self._document.resolve_at(f"{operation.pointer}/requestBody")
        if exchange["request"] is None:
            if described_body.get("required"):
                yield "request: a body is required"
            return
        if not exchange["headers"].get("content-type", "").startswith(JSON):
            yield "request: a body needs the header Content-Type: application/json"
        schema = _schema_pointer(pointer, described_body)
        if schema:
            yield from (f"request: {one}" for one in self._document.errors(REQUEST, schema, exchange["request"]))

    def _of_answer(self, exchange: Exchange, operation: Operation) -> Iterator[str]:
        if exchange["fault"]:
            return
        status = exchange["status"]
        names = (str(status), f"{status // 100}XX")
        name = next((one for one in names if one in operation.spec["responses"]), "")
        if not name:
            yield from self._of_undescribed(status, exchange["answer"])
            return
        pointer, response = self._document.resolve_at(f"{operation.pointer}/responses/{name}")
        schema = _schema_pointer(pointer, response)
        if schema:
            yield from self._fits(schema, exchange["answer"])
        elif status < 300 and exchange["answer"] is not None:
            yield "answer: no body is described"

    def _of_undescribed(self, status: int, answer: object) -> Iterator[str]:
        if status not in ANY_OPERATION:
            yield "answer: the status is not described"
        elif self._document.has(ERROR):
            yield from self._fits(ERROR, answer)

    def _fits(self, pointer: str, answer: object) -> Iterator[str]:
        if answer is None:
            yield "answer: a body is described, and none was sent"
        else:
            yield from (f"answer: {one}" for one in self._document.errors(ANSWER, pointer, answer))


def _schema_pointer(pointer: str, holder: Mapping[str, Any]) -> str:
    media = holder.get("content", {}).get(JSON)
    if media is None:
        return ""
    place = f"{pointer}/content/application~1json"
    return f"{place}/schema" if "schema" in media else place  # some stand there without their `schema`


def _of_an_unknown(exchange: Exchange) -> list[str]:
    if exchange["status"] in (401, 404, 405) or exchange["fault"]:
        return []  # it was told so
    if any(exchange["method"] == method and re.fullmatch(path, exchange["path"]) for method, path in UNDESCRIBED):
        return []
    return ["no such operation is described"]


def _is_excepted(method: str, template: str, problem: str) -> bool:
    return any(
        one.method in (method, "*") and one.template in (template, "*") and re.search(one.about, problem)
        for one in EXCEPTIONS
    )
