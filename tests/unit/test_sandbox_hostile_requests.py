"""Whatever is sent to the account's paths, and whatever an account file says, the sandbox answers or refuses."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.sandbox.account import Account, AccountError
from deploy.sandbox.call import Call
from deploy.sandbox.documents import AccountDocument
from deploy.sandbox.generate import generate
from deploy.sandbox.resource import RESOURCES
from deploy.sandbox.resources.tables import TABLES
from deploy.sandbox.rest import RestEndpoint
from deploy.sandbox.world import Options, World

HEADERS = [(b"authorization", b"Token token=" + b"t" * 20), (b"host", b"sandbox")]
JUNK: list[Any] = [
    None, 1, -1, True, 1.5, "", "x", "9" * 400, "2030-01-01T00:00:00Z", [], {}, [1], [None], [{}], {"id": 1}, {"type": []},
    {"id": "x", "type": "user_reference"},
]  # fmt: skip
QUERIES = ["", "limit=x", "limit=0&offset=-1", "since=9999-12-31T23:59:59-14:00", "until=0001-01-01", "time_zone=%00",
           "include[]=final_schedule&since=2026-01-01", "cursor=x", "after=x", "query=%", "team_ids[]="]  # fmt: skip


def spoilt(chance: random.Random, value: Any, share: float) -> Any:
    """A copy in which some things are missing and some are junk."""
    if chance.random() < share:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {name: spoilt(chance, part, share) for name, part in value.items() if chance.random() > share / 4}
    return [spoilt(chance, part, share) for part in value] if isinstance(value, list) else value


def world(account: dict[str, Any]) -> World:
    options = Options(AccountDocument.model_validate(account), events_per_minute=None, rest_per_minute=None)
    return World(options, "http://sandbox")


def path(chance: random.Random, world: World, template: str) -> str:
    parts = template.strip("/").split("/")
    for place, part in enumerate(parts):
        if part.startswith("{"):
            kind = "v3_schedules" if parts[0] == "v3" and place == 2 else parts[place - 1]
            parts[place] = chance.choice([*(one["id"] for one in world.store.all(kind)), "PNOBODY"])
    return "/" + "/".join(parts)


def body(chance: random.Random, world: World) -> bytes:
    objects = {
        resource.noun: chance.choice(list(world.store.all(kind)) or [{}]) for kind, resource in RESOURCES.items()
    }
    document = {"sets": [{"id": "start", "rules": [{"actions": {"route_to": "x"}}]}], "catch_all": {"actions": {}}}
    lists = {"overrides": [{}], "custom_shifts": [{}], "relationships": [{}], "add": [{"type": "tag"}], "filters": {}}
    return json.dumps(spoilt(chance, {**objects, **lists, "orchestration_path": document}, 0.05)).encode()


@pytest.mark.parametrize("seed", range(4))
def test_no_request_makes_it_fail(seed: int) -> None:
    chance, stage = random.Random(seed), world(generate(1, {"services": 4}))
    endpoint = RestEndpoint(stage)
    rows = [row for table in TABLES for row in table]

    for _ in range(1500):
        method, template = chance.choice(rows)
        call = Call(method, path(chance, stage, template), chance.choice(QUERIES).encode(), HEADERS, 0.0)
        call.body = body(chance, stage) if method in ("POST", "PUT") else b""

        answer = endpoint.answer(call)

        assert answer.status < 500
        assert not answer.body or json.loads(answer.body) is not None


def test_an_account_is_refused_or_can_be_read_to_the_last_list() -> None:
    chance, whole = random.Random(5), generate(1, {"services": 3})
    reads = [template for table in TABLES for method, template in table if method == "GET"]

    for _ in range(40):
        account = spoilt(chance, whole, 0.001)
        try:
            Account(AccountDocument.model_validate(account))
        except (ValidationError, AccountError):
            continue
        stage = world(account)
        endpoint = RestEndpoint(stage)
        for template in reads:
            call = Call("GET", path(chance, stage, template), b"since=2026-01-01&until=2026-02-01", HEADERS, 0.0)
            assert endpoint.answer(call).status < 500, template
