"""Keys that Tocsin has rotated: a file in the state folder says which value is in force in place of a configured one.

A configured value is known by its id, wherever it stands: in a service file, the environment or a secret file. Once a
person has configured another value, what the file says of the former one counts no longer.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from config.channels import PagerDutyChannel
from config.errors import ConfigError, Problem
from config.keyring import Keyring, SealError
from config.sealing import unseal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from config.models import Settings
    from config.sections import Security
    from config.services import Service

FILE: Final = "security/keystore.json"
Kind = Literal["integration", "orchestration", "webhook", "ingest", "jwt"]
State = Literal["coming", "current", "former", "gone"]
ALIVE: Final = ("current", "coming", "former")  # in this order they are put into the settings
CHANNEL_KINDS: Final[tuple[Kind, ...]] = ("integration", "orchestration")


class KeyValue(BaseModel):
    """One value a key has had, encrypted; nothing but its id once it is gone."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: State
    sealed: str
    since: int = 0  # of that state, ms


class StoredKey(BaseModel):
    """One key with all its values, and how far its rotation is; the one with the greater number is the newer word."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    base: str  # id of the configured value
    number: int = 0
    values: tuple[KeyValue, ...]
    rotation: dict[str, Any] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """What tells it from others."""
        return f"{self.kind}:{self.base}"

    @property
    def alive(self) -> list[KeyValue]:
        """The values that are still good for something, the one in force first."""
        return sorted((one for one in self.values if one.state in ALIVE), key=lambda one: ALIVE.index(one.state))

    def value(self, value_id: str) -> KeyValue:
        """The value of that id."""
        return next(one for one in self.values if one.id == value_id)


def value_id(text: str) -> str:
    """The name a value goes by in rows, logs and files."""
    return sha256(text.encode()).hexdigest()[:12]


def purpose_of(kind: str, identity: str) -> str:
    """What a value is sealed for."""
    return f"keystore {kind} {identity}"


def without_gone(key: StoredKey) -> StoredKey:
    """The same, only that of values that are gone no more is kept than their ids, by which they are known in the configuration."""
    values = (one.model_copy(update={"sealed": ""}) if one.state == "gone" else one for one in key.values)
    return key.model_copy(update={"values": tuple(values)})


def read_keystore(path: Path) -> list[StoredKey]:
    """What the file says; nothing where there is none. ConfigError where it cannot be read: the keys in it are in force."""
    try:
        text = path.read_text("utf-8")
        return parse_keystore(json.loads(text))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError, ValidationError) as error:
        mend = "take it from a backup or another machine; without it the keys of the configuration are used, which may be deleted"
        raise ConfigError([Problem(str(path), "", f"cannot be read: {type(error).__name__}", mend)]) from None


def parse_keystore(document: Any) -> list[StoredKey]:
    """The keys in a document."""
    return [StoredKey.model_validate(one) for one in document]


def with_keystore(settings: Settings, stored: Sequence[StoredKey]) -> Settings:
    """The settings with the values that are in force; those that are on their way in or out stand beside them.

    It may be put over settings that have it already. ConfigError where a value cannot be opened.
    """
    if not stored:
        return settings
    overlay = _Overlay(settings.security, stored)
    services = {name: overlay.service(service) for name, service in settings.services.items()}
    pagerduty, security = settings.pagerduty, settings.security
    hook = overlay.line("webhook", pagerduty.webhook_secret, pagerduty.webhook_previous_secrets)
    jwt = overlay.line("jwt", security.jwt_secret, security.jwt_previous_secrets)
    return settings.model_copy(
        update={
            "services": services,
            "pagerduty": pagerduty.model_copy(
                update={"webhook_secret": hook[0], "webhook_previous_secrets": tuple(hook[1:])} if hook else {}
            ),
            "security": security.model_copy(
                update={"jwt_secret": jwt[0], "jwt_previous_secrets": tuple(jwt[1:])} if jwt else {}
            ),
        }
    )


class _Overlay:
    def __init__(self, security: Security, stored: Sequence[StoredKey]) -> None:
        self._security = security
        self._stored = stored
        self._keyring: Keyring | None = None

    def service(self, service: Service) -> Service:
        """The service with its keys as they are in force."""
        channels = tuple(self._channel(one) if isinstance(one, PagerDutyChannel) else one for one in service.channels)
        ingest = tuple(_once(value for key in service.ingest_keys for value in self.line("ingest", key, ()) or (key,)))
        return service.model_copy(update={"channels": channels, "ingest_keys": ingest})

    def _channel(self, channel: PagerDutyChannel) -> PagerDutyChannel:
        for kind in CHANNEL_KINDS:
            found = self.line(kind, channel.routing_key, channel.retired_keys)
            if found:
                update = {"routing_key": found[0], "retired_keys": tuple(found[1:])}
                return channel.model_copy(update=update)
        return channel

    def line(self, kind: Kind, value: SecretStr | None, others: Iterable[SecretStr]) -> list[SecretStr]:
        """What takes the place of a configured value and of the ones beside it, the one in force first; empty: it stays."""
        if value is None:
            return []
        identity = value_id(value.get_secret_value())
        key = next((one for one in self._stored if one.kind == kind and identity in _ids(one.values)), None)
        if key is None:
            return []
        known = {value_id(one.get_secret_value()): one for one in (value, *others)}
        gone = {one.id for one in key.values if one.state == "gone"}
        mine = [known.get(one.id) or self._opened(key, one) for one in key.alive]
        beside = [one for name, one in known.items() if name not in gone]
        return list(_once([*mine, *beside]))

    def _opened(self, key: StoredKey, value: KeyValue) -> SecretStr:
        mend = "add the former key to security.previous_encryption_keys"
        where = f"key {value.id} of {FILE}"
        try:
            return SecretStr(json.loads(unseal(value.sealed, self._keys(), purpose_of(key.kind, value.id))))
        except SealError as error:
            what, _, how = str(error).partition("; ")
            raise ConfigError([Problem(where, "", f"cannot be decrypted: {what}", how or mend)]) from None

    def _keys(self) -> Keyring:
        if self._keyring is None:
            keys = (self._security.encryption_key, *self._security.previous_encryption_keys)
            self._keyring = Keyring.of_texts([one.get_secret_value() for one in keys if one is not None])
        return self._keyring


def _ids(values: Iterable[KeyValue]) -> set[str]:
    return {one.id for one in values}


def _once(secrets: Iterable[SecretStr]) -> list[SecretStr]:
    return list({one.get_secret_value(): one for one in secrets}.values())


def by_name(stored: Iterable[StoredKey]) -> Mapping[str, StoredKey]:
    """The keys by their names."""
    return {one.name: one for one in stored}
