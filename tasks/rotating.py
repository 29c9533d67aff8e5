"""Rotation of keys as the settings have it: a part of the wiring beside `runtime`."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from config.channels import PagerDutyChannel
from config.keystore import value_id
from tasks.account_keys import AccountKeys
from tasks.encryption_in_force import encryption_line, put_in_force
from tasks.tokens.rotation.access_tokens import access_line
from tasks.tokens.rotation.doors import OrchestrationDoors, ServiceDoors
from tasks.tokens.rotation.former_keys import former_due
from tasks.tokens.rotation.inventory import BY_TOCSIN, Ages, Inventory, found_in
from tasks.tokens.rotation.lines import key_lines, rotation_line, rotation_words
from tasks.tokens.rotation.models import KeyView, RotationReport
from tasks.tokens.rotation.own import IngestTurner, JwtTurner
from tasks.tokens.rotation.pagerduty import Outside, RoutingTurner
from tasks.tokens.rotation.progress import Patience
from tasks.tokens.rotation.service import FLIGHT, RotationRules, Rotations, Tools
from tasks.tokens.rotation.taking_up import TakingUp
from tasks.tokens.rotation.webhooks import WebhookTurner
from tasks.utils.acts import Act
from tasks.utils.error_handler import TocsinError, UnknownError
from tasks.utils.rows import milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from config.keystore import Kind
    from tasks.runtime import Runtime
    from tasks.tokens.rotation.taking_up import TakenUp, Unmatched
    from tasks.tokens.rotation.turner import Found, Turner
    from tasks.utils.health_monitor import Line
    from tasks.utils.rest.client import RestClient

KNOWN_AFTER: Final = timedelta(seconds=5)  # every process looks once a second
NOTHING: Final = "tocsin-rotation-of-nothing"  # a dedup key no alert ever has
SHARE: Final = 0.3  # of PagerDuty's calls
SENT_WITHIN: Final = timedelta(seconds=10)


class RotationWiring:
    """What is done with keys."""

    def __init__(self, runtime: Runtime, pause: Callable[[float], None] = time.sleep) -> None:
        self._runtime = runtime
        self._pause = pause

    @cached_property
    def service(self) -> Rotations:
        """Replaces keys."""
        return Rotations(self._tools, self._turners(), self._rules())

    @cached_property
    def _tools(self) -> Tools:
        runtime = self._runtime
        return Tools(
            keystore=runtime.keystore,
            security=runtime.security,
            found=self._found,
            alone=runtime.flights.alone,
            now_ms=runtime.clock.now_ms,
            pause=self._pause,
            note=self._note,
        )

    def take_up(self) -> tuple[list[TakenUp], list[Unmatched]]:
        """Put in force what rotations made that nobody here knows of; nothing where keys cannot be kept, or PagerDuty not be asked."""
        runtime = self._runtime
        if runtime.security is None or not runtime.settings.pagerduty.can_be_asked:
            return [], []
        with runtime.flights.alone(FLIGHT):
            done = TakingUp(self._tools, runtime.security, self._routing_turners()).take_up()
        runtime.renew_at_once()
        return done

    @cached_property
    def account(self) -> AccountKeys:
        """What the REST API is asked with, which Tocsin cannot replace."""
        return AccountKeys(self._runtime)

    @cached_property
    def ages(self) -> Ages:
        """How old keys are, and when they were used."""
        return Ages(self._runtime.client, self._runtime.keys)

    def now_ms(self) -> int:
        """The fleet's time."""
        return self._runtime.clock.now_ms()

    def known(self) -> list[KeyView]:
        """Every key, with its age."""
        runtime = self._runtime
        runtime.renew_at_once()
        inventory = Inventory(self.ages, runtime.settings.tokens.max_age)
        coming = runtime.encryption.coming if runtime.encryption else ()
        return inventory.list(runtime.settings, runtime.keystore.read(), runtime.clock.now_ms(), coming)

    def lines(self) -> list[Line]:
        """How old keys are and how rotations stand, as lines of health; what is amiss is kept for Tocsin's own alerts."""
        tokens, keys = self._runtime.settings.tokens, self._runtime.keys
        found = key_lines(self.known(), tokens.warn_before)
        if (amiss := encryption_line(self._runtime)) is not None:
            found = [amiss if line.name == amiss.name else line for line in found]
        due = {line.name.removeprefix("tokens."): f"{line.value}, at most {line.limit}" for line in found if line.mend}
        now = self._runtime.clock.now_ms()
        self._tell(keys.tokens_due, due | former_due(self.account.former_keys.all(), now))
        rotations = self.underway().rotations
        self._tell(
            keys.rotations_stuck, {one.former: f"{rotation_words(one)}\n{one.mend}" for one in rotations if one.stuck}
        )
        return [*found, rotation_line(rotations, tokens.stuck_after), *map(access_line, self.account.access_tokens())]

    def due(self) -> RotationReport:
        """Go on with what is under way, and replace what is past its age, of the kinds that `tokens.rotate` names."""
        done = self.service.resume().rotations
        wanted = self._runtime.settings.tokens.rotate
        for key in self.known():
            is_old = key.age_days is not None and key.age_days > key.max_age_days
            if key.kind in wanted and is_old and key.state == "current" and not key.step:
                done += self.service.rotate(key.kind, key.id).rotations
        return RotationReport(rotations=done, nothing_due=not done)

    def rotate(self, kind: str = "", key: str = "", *, dry_run: bool = False) -> RotationReport:
        """Replace one key; without a kind, whatever is due. `key` may be left out where there is one of that kind only."""
        if kind == "encryption":
            return self.rekey(dry_run=dry_run)
        if kind == "oauth":
            return self.refresh(dry_run=dry_run)
        if not kind:
            return self.due() if not dry_run else self.underway()
        known = found_in(self._runtime.settings, kind) if kind in BY_TOCSIN else {}
        if not key and len(known) != 1:
            names = ", ".join(f"{one.id} ({', '.join(one.where)})" for one in known.values()) or "none"
            raise UnknownError(f"say which {kind} key; there are: {names}")
        chosen = key or next(iter(known))
        if dry_run:
            return self.underway()
        return self.service.rotate(kind, chosen)  # type: ignore[arg-type]

    def rekey(self, *, dry_run: bool = False) -> RotationReport:
        """Encrypt with the newest encryption key what lies under former ones, as far as that can be; and what needs which key."""
        from tasks.rekeying import Rekeying  # noqa: PLC0415 (it knows several capabilities)

        rekeying = Rekeying(self._runtime)
        self._runtime.renew_at_once()
        if dry_run:
            return RotationReport(at_rest=rekeying.at_rest())
        with self._runtime.flights.alone(FLIGHT):
            put_in_force(self._runtime, self._pause)
            return RotationReport(at_rest=rekeying.renew())

    def refresh(self, *, dry_run: bool = False) -> RotationReport:
        """A fresh access token of the OAuth app for every process before its next call, if this one gets one."""
        if not dry_run:
            self.account.refresh()
        return RotationReport(nothing_due=dry_run, access_tokens=self.account.access_tokens())

    def underway(self) -> RotationReport:
        """Every rotation that is not over, and how the access tokens stand."""
        found = [self.service.view(key) for key in self.service.underway()]
        return RotationReport(rotations=found, nothing_due=not found, access_tokens=self.account.access_tokens())

    def _tell(self, key: str, amiss: Mapping[str, str]) -> None:
        """What is amiss by now, and nothing else."""
        with self._runtime.client.pipeline() as pipe:
            pipe.delete(key)
            if amiss:
                pipe.hset(key, mapping=amiss)
            pipe.execute()

    def _found(self, kind: Kind) -> Mapping[str, Found]:
        self._runtime.renew_at_once()
        return found_in(self._runtime.settings, kind)

    def _note(self, action: str, what: str, detail: Mapping[str, str]) -> None:
        self._runtime.acts.record(Act(action, what, detail=dict(detail)))

    def _rules(self) -> RotationRules:
        settings = self._runtime.settings
        tokens = settings.tokens
        keep: dict[str, timedelta] = {
            "integration": tokens.keep_former,
            "orchestration": tokens.keep_former,
            "webhook": tokens.keep_former,
            "ingest": tokens.ingest_grace,
            "jwt": settings.api.max_token_lifetime,
        }
        patience = Patience(milliseconds(tokens.stuck_after), milliseconds(tokens.needed_at_most))
        return RotationRules(KNOWN_AFTER, 2 * settings.delivery.lease, keep, patience)

    def _turners(self) -> dict[Kind, Turner]:
        runtime = self._runtime
        now_ms, used = runtime.clock.now_ms, self.ages.last_used_ms
        return {
            **self._routing_turners(),
            "webhook": WebhookTurner(self._rest, self._is_ours, self._made_here, used, now_ms, self._pause),
            "ingest": IngestTurner(used, now_ms, runtime.settings.tokens.ingest_quiet),
            "jwt": JwtTurner(),
        }

    def _routing_turners(self) -> dict[Kind, RoutingTurner]:
        outside = Outside(self._send, self._open_with, self._pause)
        return {
            "integration": RoutingTurner(outside, ServiceDoors(self._rest, self._likely)),
            "orchestration": RoutingTurner(outside, OrchestrationDoors(self._rest)),
        }

    def _rest(self) -> RestClient:
        return self._runtime.rest.limited(share=SHARE)

    def _is_ours(self, subscription: Mapping[str, Any]) -> bool:
        return self._runtime.webhooks.subscriptions.leads_here(subscription)

    def _made_here(self, identity: str) -> str:
        """The subscription at PagerDuty that a secret belongs to, where Tocsin made it."""
        for key in self._runtime.keystore.read():
            if key.rotation.get("new") == identity and key.rotation.get("step") == "done":
                return str(key.rotation["made"])
        return ""

    def _likely(self, identity: str) -> Iterator[str]:
        settings = self._runtime.settings
        for name, pagerduty_id in settings.pagerduty_services.items():
            channels = settings.services[name].channels
            keys = [one.routing_key.get_secret_value() for one in channels if isinstance(one, PagerDutyChannel)]
            if identity in map(value_id, keys):
                yield pagerduty_id

    def _send(self, key: Found) -> int:
        """PagerDuty's status for an event with that key, 0 where there is no answer. It counts among the events of that key's minute."""
        from tasks.utils.rest.line import Line, Request  # noqa: PLC0415 (an HTTP client takes long to import)

        line = Line(key.url, SENT_WITHIN)
        body = {"routing_key": key.value, "event_action": "resolve", "dedup_key": NOTHING}
        now = self._runtime.clock.now_ms()
        self._runtime.client.zadd(self._runtime.keys.sends(key.id), {f"proof {now}": now})
        try:
            return line.exchange(Request("POST", "/v2/enqueue", body=body)).status
        except TocsinError:
            return 0
        finally:
            line.close()

    def _open_with(self, identity: str) -> int:
        """How many alerts are open at PagerDuty that this key opened; Tocsin's own ones among them."""
        client, keys = self._runtime.client, self._runtime.keys
        ending, count = f"|{identity}", 0
        batch: list[str] = []
        for name in client.scan_iter(match=f"{keys.alert('')}*", count=1000):
            batch.append(name)
            if len(batch) == 500:
                count += _ending(client, batch, ending)
                batch = []
        count += _ending(client, batch, ending)
        return count + sum(ending in text for text in client.hvals(keys.own_alerts))


def _ending(client: Any, names: list[str], ending: str) -> int:
    if not names:
        return 0
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.hkeys(name)
        found = pipe.execute()
    return sum(any(field.startswith("on:") and field.endswith(ending) for field in fields) for fields in found)
