"""How tests make a REST client, and what they find in the account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from config.settings import load
from tasks.utils.rest.client import RestClient
from tasks.utils.rest.wiring import rest_client

if TYPE_CHECKING:
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

TOKEN = "tOcSiNtEsT0123456789"
SENDER = "bot@example.com"


@dataclass
class Naps:
    """Sleep that takes no time and remembers how long it would have been."""

    taken: list[float]

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def rest_of(
    client: Any, keys: Keys, url: str, settings: dict[str, Any] | None = None, *, key: str = TOKEN, reread: str = TOKEN
) -> RestClient:
    """A client of the sandbox as one process has it; `settings` by their dotted names, `reread`: the key that is read after a 401."""
    overrides = {
        "pagerduty.api_url": url,
        "pagerduty.api_key": TOKEN,
        "pagerduty.from_email": SENDER,
        **(settings or {}),
    }

    def read(value: str) -> Any:
        return load(environ={}, overrides={**overrides, "pagerduty.api_key": value})

    return rest_client(read(key), client, keys, lambda: read(reread))


def hurried(rest: RestClient, naps: Naps | None = None) -> RestClient:
    """The client, whose waits take no time."""
    sleep = naps or Naps([])
    allowance = replace(rest.caller.allowance, sleep=sleep)
    return RestClient(replace(rest.caller, allowance=allowance, sleep=sleep), rest._now)


def make_user(rest: RestClient) -> str:
    """The id of a user whose address SENDER is."""
    user = rest.users.create({"type": "user", "name": "Bot", "email": SENDER})
    return str(user["id"])


def make_service(rest: RestClient, user: str) -> str:
    """The id of a service with a policy that names this user."""
    target = {"id": user, "type": "user_reference"}
    rules = [{"escalation_delay_in_minutes": 5, "targets": [target]}]
    policy = rest.escalation_policies.create({"type": "escalation_policy", "name": "Main", "escalation_rules": rules})
    reference = {"id": policy["id"], "type": "escalation_policy_reference"}
    service = rest.services.create({"type": "service", "name": "Shop", "escalation_policy": reference})
    return str(service["id"])


def rest_requests(sandbox: Sandbox) -> list[tuple[str, str, int]]:
    """What the sandbox was asked over REST: method, path, status; 0 where it gave none."""
    return [(entry["method"], entry["path"], entry["status"]) for entry in sandbox.log()]
