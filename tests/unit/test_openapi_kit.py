"""The kit that holds the sandbox against PagerDuty's description finds what is wrong; tried on a description of our own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.openapi import Checker, is_at_hand
from tests.openapi.document import Document

THING: dict[str, Any] = {
    "allOf": [
        {"$ref": "#/components/schemas/Named"},
        {
            "type": "object",
            "required": ["id", "size"],
            "properties": {
                "id": {"type": "string", "readOnly": True},
                "size": {"type": "integer", "minimum": 1},
                "note": {"type": "string", "nullable": True},
                "parent": {"allOf": [{"$ref": "#/components/schemas/Named"}], "nullable": True},
                "shape": {"oneOf": [{"$ref": "#/components/schemas/Named"}, {"type": "object"}]},
                "resolved_at": {"type": "string", "format": "date-time"},
            },
        },
    ]
}
BODY = {"application/json": {"schema": {"type": "object", "properties": {"thing": THING}}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.2",
    "paths": {
        "/things": {
            "get": {
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
                    {"name": "kinds[]", "in": "query", "schema": {"type": "string", "enum": ["a", "b"]}},
                    {"name": "since", "in": "query", "required": True, "schema": {"format": "date-time"}},
                    {"name": "From", "in": "header", "required": True, "schema": {"type": "string"}},
                ],
                "responses": {"200": {"content": BODY}, "204": {"description": "nothing"}},
            },
            "post": {
                "requestBody": {"required": True, "content": BODY},
                "responses": {"201": {"content": BODY}},
            },
        },
        "/things/{id}": {"get": {"responses": {"200": {"content": BODY}}}},
        "/odd": {
            "get": {
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "properties": {"at": {"type": "string"}}},
                                "examples": {"one": {"value": {"at": 5}}},
                            }
                        }
                    }
                }
            }
        },
    },
    "components": {
        "schemas": {"Named": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "responses": {
            "Conflict": {
                "content": {
                    "application/json": {
                        "schema": {"type": "object", "properties": {"error": {"type": "object"}}, "required": ["error"]}
                    }
                }
            }
        },
    },
}
GOOD = {"id": "P1", "size": 2, "name": "one", "note": None, "parent": None, "resolved_at": None}


def problems(**exchange: Any) -> list[str]:
    whole = {
        "method": "GET",
        "path": "/things",
        "query": "since=2026-01-01T00:00:00Z",
        "headers": {"from": "a@b.c", "content-type": "application/json"},
        "request": None,
        "status": 200,
        "answer": {"thing": GOOD},
        "fault": "",
        **exchange,
    }
    found = Checker(Document(DOCUMENT)).problems(whole)
    return [one.partition(": ")[2] for one in found]


def test_what_is_as_described_passes() -> None:
    assert problems() == []
    assert problems(path="/things/P1", query="") == []
    assert problems(status=204, answer=None) == []


@pytest.mark.parametrize(
    ("exchange", "told"),
    [
        ({"path": "/thing"}, "no such operation is described"),
        ({"method": "DELETE"}, "no such operation is described"),
        ({"status": 202}, "answer: the status is not described"),
        ({"status": 204}, "answer: no body is described"),
        ({"answer": None}, "answer: a body is described, and none was sent"),
        ({"query": ""}, "request: the query parameter since is required"),
        ({"query": "since=2026-01-01&limit=ten"}, "request: the query parameter limit must be a whole number"),
        ({"query": "since=2026-01-01&limit=101"}, "request: the query parameter limit must be a whole number"),
        ({"query": "since=2026-01-01&kinds[]=c"}, "request: the query parameter kinds[] must be one of a, b"),
        ({"query": "since=yesterday"}, "request: the query parameter since must be an ISO 8601 date"),
        ({"query": "since=2026-01-01&colour=red"}, "request: no query parameter colour is described"),
        ({"headers": {}}, "request: the header From is required"),
        ({"request": {"a": 1}}, "request: no body is described"),
        ({"status": 400, "answer": {}}, 'answer: body: "error" is a required property'),
    ],
)
def test_what_is_not_as_described_is_told(exchange: dict[str, Any], told: str) -> None:
    (found,) = problems(**exchange)

    assert found.startswith(told)


@pytest.mark.parametrize(
    ("thing", "told"),
    [
        ({"size": "2"}, 'answer: thing.size: … is not of type "integer"'),
        ({"size": 0}, "answer: thing.size: … is less than the minimum of 1"),
        ({"name": None}, 'answer: thing.name: … is not of type "string"'),
        ({"resolved_at": "soon"}, "answer: thing.resolved_at: …"),
        ({"colour": "red"}, "answer: thing.colour: no such field is described"),
        ({"parent": {"colour": "red"}}, "answer: thing.parent.colour: no such field is described"),
    ],
)
def test_a_wrong_field_is_told_without_its_value(thing: dict[str, Any], told: str) -> None:
    (found,) = problems(answer={"thing": {**GOOD, **thing}})

    assert found.startswith(told)


def test_a_request_need_not_have_what_the_server_makes_and_an_answer_must() -> None:
    thing = {"size": 1}
    post = {"method": "POST", "query": "", "status": 201, "request": {"thing": thing}}

    assert problems(**post) == []
    (found,) = problems(**post, answer={"thing": thing})
    assert found == 'answer: thing: "id" is a required property'


def test_a_body_needs_its_content_type_and_a_required_one_must_come() -> None:
    post = {"method": "POST", "query": "", "status": 201}

    assert problems(**post) == ["request: a body is required"]
    (found,) = problems(**post, request={"thing": {"size": 1}}, headers={})
    assert found == "request: a body needs the header Content-Type: application/json"


def test_a_refused_request_may_be_wrong_and_an_answer_spoilt_by_a_fault_too() -> None:
    assert problems(query="limit=ten", status=400, answer={"error": {}}) == []
    assert problems(path="/thing", status=404) == []
    assert problems(status=502, answer="<html>", fault="error") == []
    (found,) = problems(query="", status=429, answer=None, fault="throttle")
    assert found == "request: the query parameter since is required"


def test_what_the_descriptions_own_example_does_is_let_pass() -> None:
    assert problems(path="/odd", query="", answer={"at": 7}) == []
    assert problems(path="/odd", query="", answer={"at": 7, "by": 1}) == ["answer: by: no such field is described"]


@pytest.mark.skipif(not is_at_hand(), reason="PagerDuty's OpenAPI is not at hand")
def test_every_schema_of_pagerdutys_own_description_can_be_used() -> None:
    for checker in (Checker(), Checker.of_events()):
        assert list(checker.unusable()) == []
