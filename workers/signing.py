"""Signed task messages: every message this process sends carries a signature, and who may send what."""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

from base64 import urlsafe_b64decode
from contextvars import ContextVar
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from celery.app.amqp import AMQP
from celery.signals import before_task_publish
from kombu.serialization import dumps
from kombu.utils.json import loads

from config.errors import ConfigError, Problem
from schedules.beat import ENTRIES
from tasks.utils.task_signatures import HEADER, RoleKey, Signature, Signed, Verifier, parse_role_key, role_key, sign
from workers.queues import GROUPS, ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.models import Settings
    from tasks.runtime import Runtime

MASTER_MEND: Final = "set ENCRYPTION_KEY (or security.task_secret) here: workers check the signatures of every role"
PRODUCERS: Final[dict[str, tuple[str, ...]]] = {  # who sends what, besides workers and beat
    "cli": ("*",),
    "gateway": ("alerts.*", "webhooks.*"),
    "producer": ("alerts.submit", "webhooks.process"),
}
ROLES: Final = (*PRODUCERS, "beat", *(f"worker-{group}" for group in GROUPS))


class _Sending(NamedTuple):
    """What is known of the message that is being sent in this context."""

    queue: str
    serializer: str
    key: RoleKey
    at_ms: int


_sending: ContextVar[_Sending | None] = ContextVar("sending", default=None)


def may_send(role: str, task: str) -> bool:
    """Whether messages of a role may call a task."""
    if role == "beat":
        return task in {entry.task for entry in ENTRIES.values()}
    if role.startswith("worker-"):  # Celery sends a task anew whose process died
        return queue_of(task) in GROUPS.get(role.removeprefix("worker-"), ())
    return any(fnmatchcase(task, pattern) for pattern in PRODUCERS.get(role, ()))


def queue_of(task: str) -> str:
    """The queue that a task's messages belong into."""
    return next(queue for pattern, queue in ROUTES.items() if fnmatchcase(task, pattern))


def master_key(settings: Settings, role: str) -> RoleKey:
    """The key of a role; ConfigError where this machine has not the secret that they are made of."""
    return role_key(_needed(settings)[0], role)


def own_key(settings: Settings, role: str) -> RoleKey:
    """What this process signs with: the one role key it was given, else that of its role."""
    given = settings.security.task_key
    return parse_role_key(given.get_secret_value()) if given else master_key(settings, role)


def verifier(settings: Settings) -> Verifier:
    """What checks the signatures of all roles; ConfigError where this machine has only the key of one."""
    return Verifier(_needed(settings))


class CurrentVerifier:
    """The same by the settings of the moment, whose keys may have been replaced; ConfigError where there is no secret to begin with."""

    def __init__(self, settings: Settings, now: Callable[[], Settings]) -> None:
        self._settings = settings
        self._now = now
        self._verifier = verifier(settings)

    def fault(self, message: Signed, signature: Signature) -> str:
        """As `Verifier.fault`."""
        settings = self._now()
        if settings is not self._settings:
            self._settings, self._verifier = settings, verifier(settings)
        return self._verifier.fault(message, signature)


def _needed(settings: Settings) -> list[bytes]:
    secrets = _secrets(settings)
    if not secrets:
        raise ConfigError([Problem("environment ENCRYPTION_KEY", "security.encryption_key", "is not set", MASTER_MEND)])
    return secrets


def _secrets(settings: Settings) -> list[bytes]:
    """The secrets that role keys come from, the newest first."""
    security = settings.security
    own = (security.task_secret, *security.previous_task_secrets)
    keys = own if security.task_secret else (security.encryption_key, *security.previous_encryption_keys)
    return [urlsafe_b64decode(key.get_secret_value()) for key in keys if key is not None]


class SigningAMQP(AMQP):
    """Celery's own, which remembers what is being sent for the signal that comes last before the message leaves."""

    @cached_property
    def send_task_message(self) -> Any:
        """Celery's function that sends a message."""
        send = self._create_task_sender()
        default = self.app.conf.task_serializer

        def send_signed(producer: Any, name: str, message: Any, **options: Any) -> Any:
            queue = options.get("queue") or self.default_queue
            # Here, not where it is signed: Celery swallows errors of signals, and what is not signed is taken for forged.
            key, at_ms = own_key(_current(self.app.runtime), self.app.role), self.app.runtime.clock.now_ms()
            known = _Sending(getattr(queue, "name", queue), options.get("serializer") or default, key, at_ms)
            token = _sending.set(known)
            try:
                return send(producer, name, message, **options)
            finally:
                _sending.reset(token)

        return send_signed


def _current(runtime: Runtime) -> Settings:
    """The settings of the moment: of several keys a new one signs once every process knows it, also in a shell that has just begun."""
    if len(runtime.settings.security.key_texts) > 1:
        runtime.renew()
    return runtime.settings


def use_signing(app: Any) -> None:
    """Have an app sign whatever it sends."""
    app.amqp_cls = SigningAMQP
    # Connected last, and once: a header that is added after it would not be signed.
    before_task_publish.disconnect(_sign, dispatch_uid="tocsin-signing")
    before_task_publish.connect(_sign, dispatch_uid="tocsin-signing")


def _sign(headers: dict[str, Any] | None = None, body: Any = None, properties: Any = None, **_: Any) -> None:
    sending = _sending.get()
    if sending is None or headers is None:
        return
    headers.pop(HEADER, None)  # of the message that is sent anew
    _, _, payload = dumps(body, sending.serializer)
    raw = payload if isinstance(payload, bytes) else payload.encode()
    message = Signed(_as_sent(headers), properties or {}, raw, sending.queue)
    headers[HEADER] = sign(message, sending.key, sending.at_ms)


def _as_sent(headers: dict[str, Any]) -> Any:
    """Headers as whoever receives them reads them: tuples are lists there."""
    return loads(dumps(headers, "json")[2])
