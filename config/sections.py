"""The sections of settings; docs/configuration.md is made from them. Names are those of files and environment."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from config.errors import UnfitError
from config.redis import DEFAULT_REDIS
from config.section import Section
from config.values import (
    Count,
    Duration,
    EncryptionKey,
    EncryptionKeys,
    Port,
    PositiveDuration,
    Quota,
    RedisUrl,
    RoleKeyText,
    SecretTexts,
)

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

Severity = Literal["critical", "error", "warning", "info"]


class Embedded(Section):
    """The server that `tocsin up` starts where `redis.url` names none."""

    allow: bool = Field(default=False, description="Allow it in production too, where nobody looks after it.")


class Cache(Section):
    """Answers of PagerDuty that are kept for a while."""

    redis_url: RedisUrl = Field(DEFAULT_REDIS, description="Server that holds the cache. Default: `redis.url`.")
    default_ttl: PositiveDuration = Field(
        5 * MINUTE, description="How long an answer is kept when nothing else is said."
    )


class Security(Section):
    """Keys of Tocsin's own."""

    encryption_key: EncryptionKey | None = Field(
        None,
        description="Encrypts backups and stored secrets: 32 bytes as base64 (44 characters). Required in production.",
    )
    previous_encryption_keys: EncryptionKeys = Field(
        (),
        description="Former values of `encryption_key`; what they encrypted can still be read. In the environment: parted by blanks.",
    )
    jwt_secret: SecretStr | None = Field(
        None, description="Signs access tokens of the HTTP API: 32 characters at least. Without it the API is off."
    )
    jwt_previous_secrets: SecretTexts = Field(
        (),
        description="Former values of `jwt_secret`; tokens they signed are still taken. In the environment: parted by blanks.",
    )
    sign_tasks: bool = Field(
        default=False,
        description="Only signed task messages run, each once; see docs/security.md. To be set for all processes at once.",
    )
    task_window: PositiveDuration = Field(
        24 * HOUR,
        description="How long a signed message may wait in its queue, and is remembered, so that no copy of it runs.",
    )
    task_secret: EncryptionKey | None = Field(
        None, description="What the keys that sign tasks are made of, 32 bytes as base64. Default: `encryption_key`."
    )
    previous_task_secrets: EncryptionKeys = Field(
        (), description="Former values of `task_secret`. In the environment: parted by blanks."
    )
    task_key: RoleKeyText | None = Field(
        None,
        description="The one key this machine signs tasks with (`tocsin config task-key ROLE`), where it must not have the secret.",
    )

    @property
    def key_texts(self) -> list[str]:
        """The encryption keys, the one that encrypts first; none where none is set."""
        secrets = (self.encryption_key, *self.previous_encryption_keys)
        return [secret.get_secret_value() for secret in secrets if secret is not None]

    @model_validator(mode="after")
    def _can_sign(self) -> "Security":
        if self.sign_tasks and not (self.encryption_key or self.task_secret or self.task_key):
            raise UnfitError("sign_tasks is on, but there is no key to sign with", "set ENCRYPTION_KEY")
        return self


class SeverityDeadlines(Section):
    """How long one channel may try before the next one is taken."""

    critical: PositiveDuration = Field(60 * SECOND, description="For critical alerts.")
    error: PositiveDuration = Field(5 * MINUTE, description="For errors.")
    warning: PositiveDuration = Field(15 * MINUTE, description="For warnings.")
    info: PositiveDuration = Field(HOUR, description="For the rest.")

    def of(self, severity: Severity) -> timedelta:
        """The deadline of one severity."""
        deadline: timedelta = getattr(self, severity)
        return deadline


class Delivery(Section):
    """How alerts are handed to PagerDuty, and what happens when that fails."""

    lease: PositiveDuration = Field(
        30 * SECOND, description="How long a worker holds what it delivers; longer than `delivery.deadline`."
    )
    deadline: PositiveDuration = Field(10 * SECOND, description="Longest time for one attempt, reading included.")
    in_flight: Count = Field(
        32, description="Sends under way at once in one worker process; if it is killed, so many may be sent twice."
    )
    max_attempts: Count = Field(1000, description="Attempts per channel after which an alert is dead-lettered.")
    max_deliveries: Count = Field(5, description="Workers one row may kill before it is dead-lettered as poison.")
    backoff_base: PositiveDuration = Field(
        SECOND, description="Wait after the first failed attempt; it doubles each time."
    )
    backoff_cap: PositiveDuration = Field(MINUTE, description="Longest wait between two attempts.")
    severity_deadlines: SeverityDeadlines = Field(
        default_factory=SeverityDeadlines, description=SeverityDeadlines.__doc__
    )
    throttle_pause: PositiveDuration = Field(
        45 * SECOND, description="Rest of a channel's key after a 429 that does not say how long."
    )
    key_pause: PositiveDuration = Field(10 * MINUTE, description="Rest of a channel's key that the other side refused.")

    @model_validator(mode="after")
    def _times_fit(self) -> "Delivery":
        if self.lease <= self.deadline:
            raise UnfitError(
                "lease must be longer than deadline, or two workers may send the same alert at once",
                "raise delivery.lease or lower delivery.deadline",
            )
        if self.backoff_cap < self.backoff_base:
            raise UnfitError("backoff_cap is shorter than backoff_base", "raise delivery.backoff_cap")
        return self


class Dedup(Section):
    """What counts as the same alert again."""

    window: Duration = Field(
        5 * MINUTE, description="How long a repeated trigger is merged into the first; 0 merges none."
    )


class Ingest(Section):
    """Limits of what is taken in."""

    max_body_bytes: Count = Field(
        5 * 1024 * 1024, description="Largest HTTP body, in bytes; more is answered with 413."
    )
    max_alerts_per_message: Count = Field(
        500, description="Most alerts accepted in one step; a longer message is taken in several."
    )
    quota: Quota = Field(
        0,
        description="Alerts a minute of one service from which on its sender is reported; none is refused. 0: no limit.",
    )


class Api(Section):
    """Access tokens of the HTTP API."""

    issuer: str = Field("tocsin", description="Who makes the tokens out: their claim `iss`.")
    audience: str = Field(
        "tocsin", description="Whom the tokens are for: their claim `aud`; one name per installation."
    )
    token_lifetime: PositiveDuration = Field(HOUR, description="How long a token is valid if nothing else is said.")
    max_token_lifetime: PositiveDuration = Field(
        30 * 24 * HOUR, description="Tokens made out for longer are neither issued nor taken."
    )


class Spool(Section):
    """The disk that keeps accepted alerts while Redis is away."""

    max_bytes: Annotated[int, Field(ge=0)] = Field(
        256 * 1024 * 1024,
        description="Most disk one process may fill in `state_dir`/spool; beyond it alerts are refused. 0 keeps none there.",
    )


class Flower(Section):
    """The page where operators watch the workers."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(5555, description="Port to listen on; 0 takes a free one.")
    user: Annotated[str, Field(pattern=r"^[^:\s]+$")] = Field("tocsin", description="User name of the operators.")
    password: SecretStr | None = Field(
        None, description="Password of the operators; `tocsin up` makes one up and shows it once."
    )
    url_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9/_-]*$")] = Field(
        "", description="Path under which a proxy serves the page, such as `flower`."
    )


class WorkerGroup(Section):
    """The processes of one worker group."""

    concurrency: Count = Field(4, description="Tasks at once in one worker.")
    pool: Literal["threads", "prefork"] = Field("threads", description="Threads wait cheaply, processes use the cores.")
    visibility_timeout: PositiveDuration = Field(
        MINUTE, description="After how long an unacknowledged message of a dead worker is taken up again."
    )
    shutdown_grace: PositiveDuration = Field(
        20 * SECOND,
        description="How long tasks under way may take after SIGTERM; then their messages go back to the queue.",
    )


class AlertGroup(WorkerGroup):
    """Takes alerts in."""

    concurrency: Count = Field(
        1,
        description="Tasks at once in one worker; with one, a producer's alerts are accepted in the order it sent them.",
    )


class WebhookGroup(WorkerGroup):
    """Works off PagerDuty's webhooks."""

    concurrency: Count = Field(2, description="Tasks at once in one worker.")


class DeliveryGroup(WorkerGroup):
    """Sends to PagerDuty, escalates."""

    concurrency: Count = Field(8, description="Tasks at once in one worker.")


class MaintenanceGroup(WorkerGroup):
    """Everything else; its tasks may take minutes."""

    concurrency: Count = Field(2, description="Tasks at once in one worker.")
    pool: Literal["threads", "prefork"] = Field("prefork", description="Threads wait cheaply, processes use the cores.")
    visibility_timeout: PositiveDuration = Field(
        HOUR, description="After how long an unacknowledged message of a dead worker is taken up again."
    )


class Workers(Section):
    """The worker groups."""

    alert: AlertGroup = Field(default_factory=AlertGroup, description="Takes alerts in.")
    webhook: WebhookGroup = Field(default_factory=WebhookGroup, description=WebhookGroup.__doc__)
    delivery: DeliveryGroup = Field(default_factory=DeliveryGroup, description=DeliveryGroup.__doc__)
    maintenance: MaintenanceGroup = Field(default_factory=MaintenanceGroup, description=MaintenanceGroup.__doc__)


class Watchdog(Section):
    """Ends a worker that lives but no longer works, so that it is started anew."""

    deaf_after: PositiveDuration = Field(
        20 * SECOND, description="How long a worker may take nothing while messages wait in its queue."
    )


class Ledger(Section):
    """The record that proves what became of every alert."""

    retention: PositiveDuration = Field(
        48 * HOUR, description="How long entries stay in Redis; then in the archive only."
    )
    seal_batch: Count = Field(5000, description="Most entries under one seal.")
