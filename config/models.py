from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, model_validator

from config.access import Access
from config.backups import Backups
from config.email import Email
from config.errors import ConfigError, Problem, UnfitError
from config.gateway import Gateway
from config.grouping import Grouping
from config.health import Health
from config.holidays import Holidays
from config.incidents import Incidents
from config.key_sources import KeySources
from config.limits import Limits
from config.logs import Logs
from config.mappings import WebhookMapping
from config.own_alerts import OwnAlerts
from config.pagerduty import PagerDuty
from config.policies import EscalationPolicy
from config.receipts import Receipts
from config.redis import Redis, is_tls, with_tls
from config.schedules import ScheduleEntry
from config.section import Section
from config.sections import (
    Api,
    Cache,
    Dedup,
    Delivery,
    Embedded,
    Flower,
    Ingest,
    Ledger,
    Security,
    Severity,
    Spool,
    Watchdog,
    Workers,
)
from config.services import Service
from config.suppression import Flapping, Inhibition
from config.tokens import Tokens
from config.values import ENCRYPTION_KEY_MEND, Name

Environment = Literal["development", "staging", "production"]

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
ALIASES = {"dev": "development", "prod": "production"}


def full_name(environment: object) -> object:
    """The name of an environment for one of its aliases; anything else as it is."""
    name = str(environment).strip().lower()
    return ALIASES.get(name, name)


def full_level(level: object) -> object:
    """The name of a log level in capitals."""
    name = str(level).strip().upper()
    return "WARNING" if name == "WARN" else name


class Settings(Section):
    """The whole configuration, checked and frozen."""

    environment: Annotated[Environment, BeforeValidator(full_name)] = Field(
        "development", description="Where this runs; `dev` and `prod` are aliases. Production is strict about keys."
    )
    log_level: Annotated[LogLevel, BeforeValidator(full_level)] = Field(
        "INFO", description="Least severity that is logged."
    )
    config_dir: Path = Field(description="Folder of the configuration files. Default: the installation's own.")
    state_dir: Path = Field(
        description="Folder for what must outlive a process: the embedded server's data, reports, anchors. "
        "Default: `$XDG_STATE_HOME/tocsin` or `~/.local/state/tocsin`."
    )
    default_service: Name = Field("default", description="The service of alerts that name none.")
    redis: Redis = Field(default_factory=Redis, description=Redis.__doc__)
    embedded: Embedded = Field(default_factory=Embedded, description=Embedded.__doc__)
    pagerduty: PagerDuty = Field(default_factory=PagerDuty, description=PagerDuty.__doc__)
    email: Email = Field(default_factory=Email, description=Email.__doc__)
    cache: Cache = Field(default_factory=Cache, description=Cache.__doc__)
    security: Security = Field(default_factory=Security, description=Security.__doc__)
    access: Access = Field(default_factory=Access, description=Access.__doc__)
    tokens: Tokens = Field(default_factory=Tokens, description=Tokens.__doc__)
    delivery: Delivery = Field(default_factory=Delivery, description=Delivery.__doc__)
    limits: Limits = Field(default_factory=Limits, description=Limits.__doc__)
    dedup: Dedup = Field(default_factory=Dedup, description=Dedup.__doc__)
    inhibition: tuple[Inhibition, ...] = Field(
        (), description="Rules by which an open alert keeps others from calling people; see docs/silences.md."
    )
    flapping: Flapping = Field(default_factory=Flapping, description=Flapping.__doc__)
    grouping: Grouping = Field(default_factory=Grouping, description=Grouping.__doc__)
    incidents: Incidents = Field(default_factory=Incidents, description=Incidents.__doc__)
    receipts: Receipts = Field(default_factory=Receipts, description=Receipts.__doc__)
    ingest: Ingest = Field(default_factory=Ingest, description=Ingest.__doc__)
    gateway: Gateway = Field(default_factory=Gateway, description=Gateway.__doc__)
    api: Api = Field(default_factory=Api, description=Api.__doc__)
    spool: Spool = Field(default_factory=Spool, description=Spool.__doc__)
    flower: Flower = Field(default_factory=Flower, description=Flower.__doc__)
    workers: Workers = Field(default_factory=Workers, description=Workers.__doc__)
    watchdog: Watchdog = Field(default_factory=Watchdog, description=Watchdog.__doc__)
    ledger: Ledger = Field(default_factory=Ledger, description=Ledger.__doc__)
    backups: Backups = Field(default_factory=Backups, description=Backups.__doc__)
    logs: Logs = Field(default_factory=Logs, description=Logs.__doc__)
    own_alerts: OwnAlerts = Field(default_factory=OwnAlerts, description=OwnAlerts.__doc__)
    health: Health = Field(default_factory=Health, description=Health.__doc__)
    schedules: dict[Name, ScheduleEntry] = Field(
        default_factory=dict, description="What is changed of scheduled tasks, by the names of `tocsin schedules list`."
    )
    services: dict[str, Service] = Field(
        default_factory=dict, description="The services by name, each from its own file `services/NAME.yaml`."
    )
    mappings: dict[str, WebhookMapping] = Field(
        default_factory=dict,
        description="How foreign documents become alerts, each from its file `mappings/NAME.yaml`.",
    )
    policies: dict[str, EscalationPolicy] = Field(
        default_factory=dict,
        description="Who is called while nobody answers, each from its file `policies/NAME.yaml`.",
    )
    holidays: dict[str, Holidays] = Field(
        default_factory=dict, description="Days off for business hours, each from its file `holidays/NAME.yaml`."
    )

    _key_sources: KeySources | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _inhibitions_differ(self) -> "Settings":
        names = [rule.name for rule in self.inhibition]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UnfitError(f"two inhibition rules are called {twice[0]!r}", "give every rule a name of its own")
        return self

    @property
    def can_verify(self) -> bool:
        """Whether PagerDuty is looked at for incidents of what it took."""
        return self.receipts.enabled and self.pagerduty.can_be_asked

    @property
    def guards_acts(self) -> bool:
        """Whether destructive acts need a second factor or a service identity here."""
        return self.environment == "production" or self.access.enforce

    @property
    def key_sources(self) -> KeySources | None:
        """Where the encryption keys were read; None where these settings came from nowhere."""
        return self._key_sources

    def from_sources(self, sources: KeySources) -> "Settings":
        """The same, knowing where its encryption keys were read."""
        copied = self.model_copy()
        copied.__pydantic_private__ = {"_key_sources": sources}
        return copied

    def with_encryption_keys(self, keys: Sequence[str]) -> "Settings":
        """The same with these encryption keys: the first encrypts, all of them decrypt."""
        first, *others = map(SecretStr, keys)
        update = {"encryption_key": first, "previous_encryption_keys": tuple(others)}
        return self.model_copy(update={"security": self.security.model_copy(update=update)})

    def require_encryption_key(self) -> SecretStr:
        """The encryption key; raises ConfigError, with the way to make one, where none is set."""
        if self.security.encryption_key is None:
            raise ConfigError([Problem("ENCRYPTION_KEY", "security.encryption_key", "is not set", ENCRYPTION_KEY_MEND)])
        return self.security.encryption_key

    def dedup_window(self, service: str) -> timedelta:
        """The window of one service: its own, else `dedup.window`."""
        own = self.services[service].dedup_window
        return self.dedup.window if own is None else own

    def quota(self, service: str) -> int:
        """How many alerts a minute one service may get before it is told: its own word, else `ingest.quota`; 0 is no limit."""
        own = self.services[service].quota
        return self.ingest.quota if own is None else own

    @property
    def pagerduty_services(self) -> dict[str, str]:
        """PagerDuty's id of each service that has one; `pagerduty.service_id` is that of the default service unless it names its own."""
        known = {name: service.pagerduty_service_id for name, service in self.services.items()}
        if self.default_service in known:
            known[self.default_service] = known[self.default_service] or self.pagerduty.service_id
        return {name: found for name, found in known.items() if found}

    @property
    def own_service(self) -> Service:
        """The service whose channels take Tocsin's own alerts."""
        return self.services[self.own_alerts.service or self.default_service]

    def flapping_of(self, service: str) -> Flapping:
        """When alerts of one service flap: its own word, else `flapping`."""
        return self.services[service].flapping or self.flapping

    def severity_deadline(self, service: str, severity: Severity) -> timedelta:
        """How long one channel of a service may try to deliver an alert of this severity."""
        own = self.services[service].severity_deadlines
        return (own or self.delivery.severity_deadlines).of(severity)


def section_names() -> list[str]:
    """The names of the settings that are groups of settings."""
    kinds = {name: field.annotation for name, field in Settings.model_fields.items()}
    return [name for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, Section)]


def with_inherited(settings: Settings) -> Settings:
    """The settings with what inherits from another setting filled in: certificates, the cache's server, deadlines of services."""
    redis, cache = settings.redis, settings.cache
    if is_tls(redis.url):
        redis = redis.model_copy(update={"url": with_tls(redis.url, redis)})
    own = cache.redis_url if "redis_url" in cache.model_fields_set else redis.url
    cache = cache.model_copy(update={"redis_url": with_tls(own, redis)})
    services = {name: _with_inherited(service, settings) for name, service in settings.services.items()}
    return settings.model_copy(update={"redis": redis, "cache": cache, "services": services})


def _with_inherited(service: Service, settings: Settings) -> Service:
    def filled(section: Section, own: Section) -> Section:
        return section.model_copy(update=own.model_dump(exclude_unset=True))

    update: dict[str, Section] = {}
    if service.severity_deadlines is not None:
        update["severity_deadlines"] = filled(settings.delivery.severity_deadlines, service.severity_deadlines)
    if service.flapping is not None:
        update["flapping"] = filled(settings.flapping, service.flapping)
    return service.model_copy(update=update) if update else service
