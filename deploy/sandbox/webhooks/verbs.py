"""The control API's verbs about webhooks: the witness, faults, second secrets, and happenings made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from deploy.sandbox.controls import Body, ControlError, number, read
from deploy.sandbox.happenings import Happening
from deploy.sandbox.webhooks.faults import FaultSpec
from deploy.sandbox.webhooks.webhooks import COLLECTION

if TYPE_CHECKING:
    from deploy.sandbox.call import Call
    from deploy.sandbox.controls import Verbs
    from deploy.sandbox.world import World

DEFAULT_PAGE = 10_000


class NewHappening(Body):
    """POST /_sandbox/happenings."""

    event_type: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$")
    data: dict[str, Any]
    resource_id: str = ""
    service_id: str = ""
    team_ids: tuple[str, ...] = ()
    agent: dict[str, Any] | None = None
    client: dict[str, Any] | None = None


class NewSecret(Body):
    """POST /_sandbox/webhooks/secrets."""

    subscription: str
    secret: str = Field(min_length=1)


class Tuning(Body):
    """POST /_sandbox/webhooks/settings."""

    timeout_seconds: float = Field(gt=0, le=60)


def verbs(world: World) -> Verbs:
    """What can be asked for."""
    made = WebhookVerbs(world)
    return {
        ("GET", "/webhooks"): made.witness,
        ("DELETE", "/webhooks"): made.clear,
        ("GET", "/webhooks/faults"): made.faults,
        ("POST", "/webhooks/faults"): made.add_fault,
        ("DELETE", "/webhooks/faults"): made.clear_faults,
        ("POST", "/webhooks/secrets"): made.add_secret,
        ("POST", "/webhooks/settings"): made.tune,
        ("POST", "/happenings"): made.announce,
    }


class WebhookVerbs:
    """The verbs; each takes the control call and gives the answer."""

    def __init__(self, world: World) -> None:
        self._world = world

    def witness(self, call: Call) -> object:
        """The deliveries and their attempts."""
        limit = number(call, "limit", DEFAULT_PAGE)
        return self._world.webhooks.witness.page(number(call, "since", 0), limit)

    def clear(self, _: Call) -> object:
        """Forget the deliveries that have ended."""
        self._world.webhooks.witness.clear()
        return {}

    def faults(self, _: Call) -> object:
        """What is set."""
        return {"faults": [one.to_json() for one in self._world.webhooks.faults]}

    def add_fault(self, call: Call) -> object:
        """Set a fault."""
        return self._world.webhooks.faults.add(read(FaultSpec, call)).to_json()

    def clear_faults(self, _: Call) -> object:
        """Lift all."""
        self._world.webhooks.faults.clear()
        return {}

    def add_secret(self, call: Call) -> object:
        """Sign with one more secret from now on."""
        asked = read(NewSecret, call)
        found = self._world.store.get(COLLECTION, asked.subscription)
        if found is None:
            raise ControlError(404, "no such webhook subscription; GET /webhook_subscriptions lists them")
        found["delivery_method"].setdefault("other_secrets", []).append(asked.secret)
        return {"signatures": 1 + len(found["delivery_method"]["other_secrets"])}

    def tune(self, call: Call) -> object:
        """Wait otherwise than the 5 s for an answer."""
        self._world.poster.timeout = read(Tuning, call).timeout_seconds
        return {"timeout_seconds": self._world.poster.timeout}

    def announce(self, call: Call) -> object:
        """Let something happen, whatever the account says."""
        asked = read(NewHappening, call)
        happening = Happening(
            asked.event_type,
            self._world.clock.now(),
            asked.data,
            asked.resource_id or str(asked.data.get("id", "")),
            asked.service_id,
            asked.team_ids,
            asked.agent,
            asked.client,
        )
        self._world.happenings.announce(happening)
        return {}
