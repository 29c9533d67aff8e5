"""Every key the settings have, by kind and id; and how old each is, as far as anybody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from config.channels import PagerDutyChannel
from config.keyring import Keyring
from config.keystore import value_id
from tasks.tokens.rotation.models import KeyView
from tasks.tokens.rotation.turner import Found

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from config.keystore import StoredKey
    from config.models import Settings
    from config.tokens import MaxAges
    from tasks.utils.keys import Keys

BY_TOCSIN: Final = ("integration", "orchestration", "webhook", "ingest", "jwt")


def found_in(settings: Settings, kind: str) -> dict[str, Found]:
    """The keys of a kind that are in force, by id; former ones are not among them."""
    found: dict[str, Found] = {}
    for value, where, url in _of_kind(settings, kind):
        identity = value_id(value)
        before = found.get(identity)
        found[identity] = Found(
            identity, value, (*(before.where if before else ()), where), before.url if before else url
        )
    return found


def _of_kind(settings: Settings, kind: str) -> Iterator[tuple[str, str, str]]:
    security, pagerduty = settings.security, settings.pagerduty
    secrets = {
        "webhook": (pagerduty.webhook_secret, "pagerduty.webhook_secret"),
        "jwt": (security.jwt_secret, "security.jwt_secret"),
        "api": (pagerduty.api_key, "pagerduty.api_key"),
        "oauth": (pagerduty.oauth.client_secret, "pagerduty.oauth.client_secret"),
    }
    if kind in secrets:
        secret, where = secrets[kind]
        if secret is not None:
            yield secret.get_secret_value(), where, ""
    elif kind == "ingest":
        for service in settings.services.values():
            yield from ((key.get_secret_value(), f"service {service.name}", "") for key in service.ingest_keys)
    else:
        yield from _routing(settings, is_orchestration=kind == "orchestration")


def _routing(settings: Settings, *, is_orchestration: bool) -> Iterator[tuple[str, str, str]]:
    for service in settings.services.values():
        for channel in service.channels:
            if isinstance(channel, PagerDutyChannel):
                key = channel.routing_key.get_secret_value()
                if key.startswith("R") == is_orchestration:
                    url = channel.events_url or settings.pagerduty.events_url
                    yield key, f"{service.name} via {channel.name}", url


def encryption_ids(settings: Settings) -> list[str]:
    """The public ids of the encryption keys, the one that encrypts first."""
    texts = settings.security.key_texts
    return list(Keyring.of_texts(texts).ids) if texts else []


class Ages:
    """Since when keys are known, and when they were used last; kept in Redis, for nothing else tells."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._key = keys.keys_seen

    def see(self, ids: Iterable[str], now_ms: int) -> dict[str, int]:
        """Since when each is known (ms); now, if it was not."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return {}
        with self._client.pipeline(transaction=False) as pipe:
            for one in wanted:
                pipe.hsetnx(self._key, one, now_ms)
            pipe.hmget(self._key, wanted)
            found = pipe.execute()[-1]
        return {one: int(at) for one, at in zip(wanted, found, strict=True)}

    def forget(self, kind: str, identity: str) -> None:
        """No age and no use is kept of this one any longer."""
        self._client.hdel(self._key, f"{kind}:{identity}", f"{identity}:used")

    def last_used_ms(self, identity: str) -> int:
        """When it was used last; 0: never, as far as is known."""
        return int(self._client.hget(self._key, f"{identity}:used") or 0)


class Inventory:
    """Lists keys with their ages."""

    def __init__(self, ages: Ages, max_age: MaxAges) -> None:
        self._ages = ages
        self._max_age = max_age

    def list(
        self, settings: Settings, stored: Sequence[StoredKey], now_ms: int, coming: Collection[str] = ()
    ) -> list[KeyView]:
        """Every key in force, and the former ones that are still needed; `coming` are encryption keys that are not in force yet."""
        state_of = {one.id: (key, one) for key in stored for one in key.values}
        rows: list[tuple[str, str, str, tuple[str, ...]]] = []
        for kind in (*BY_TOCSIN, "api", "oauth"):
            for identity, found in found_in(settings, kind).items():
                state = state_of[identity][1].state if identity in state_of else "current"
                rows.append((kind, identity, state, found.where))
        for number, identity in enumerate(encryption_ids(settings)):
            state = "coming" if identity in coming else "former" if number else "current"
            rows.append(("encryption", identity, state, ("security.encryption_key",)))
        known = {identity for _, identity, _, _ in rows}
        for key in stored:
            rows += [(key.kind, one.id, one.state, ()) for one in key.alive if one.id not in known]
            for one in key.values:
                if one.state == "gone" and one.id not in known:
                    self._ages.forget(key.kind, one.id)
        seen = self._ages.see((f"{kind}:{identity}" for kind, identity, _, _ in rows), now_ms)
        return [self._view(row, seen, state_of, now_ms) for row in rows]

    def _view(
        self,
        row: tuple[str, str, str, tuple[str, ...]],
        seen: Mapping[str, int],
        state_of: Mapping[str, Any],
        now_ms: int,
    ) -> KeyView:
        kind, identity, state, where = row
        since = seen[f"{kind}:{identity}"]
        used = self._ages.last_used_ms(identity) if kind in ("ingest", "webhook") else 0
        step = ""
        if identity in state_of:
            step = str(state_of[identity][0].rotation.get("step", ""))
        return KeyView(
            kind=kind,
            id=identity,
            state=state,
            where=list(where),
            age_days=round((now_ms - since) / 86_400_000, 4),
            max_age_days=getattr(self._max_age, kind).total_seconds() / 86400,
            replaced_by="tocsin" if kind in BY_TOCSIN else "a person",
            last_used_seconds=(now_ms - used) / 1000 if used else None,
            step="" if step == "done" else step,
        )
