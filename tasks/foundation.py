"""What every service of a process stands on: settings, keys, the connection, clock, counters. A part of the wiring."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import redis
import structlog

from config.errors import ConfigError
from config.keystore import with_keystore
from config.settings import load
from tasks.utils.admission import Admission
from tasks.utils.audit_logger import FOLDER as ACTS
from tasks.utils.audit_logger import AuditLogger
from tasks.utils.breakers import Breakers, LimitViews
from tasks.utils.clock import Clock
from tasks.utils.connect import connect
from tasks.utils.encryption_keys import EncryptionKeys
from tasks.utils.error_handler import ErrorHandler, TocsinError
from tasks.utils.gate import Gate
from tasks.utils.graves import Graves
from tasks.utils.keys import Keys
from tasks.utils.keystore import Keystore
from tasks.utils.messages import MessageGuard
from tasks.utils.metrics_collector import Metrics
from tasks.utils.presence import Presence
from tasks.utils.pulse import Pulse
from tasks.utils.schedule_states import ScheduleStates
from tasks.utils.sealed_fields import SealedFields
from tasks.utils.single_flight import SingleFlight
from tasks.utils.slot_marks import FILE as MARKS
from tasks.utils.slot_marks import SlotMarks

if TYPE_CHECKING:
    from config.keystore import StoredKey
    from config.models import Settings
    from tasks.utils.encryption import SecurityManager


log = structlog.get_logger("tocsin.keys")

LOOK_AFTER: Final = 1.0  # seconds between two looks for rotated keys
SILENT: Final = 60_000  # milliseconds after which a process that shows itself no more is not waited for
Expected = Callable[[datetime, datetime], Mapping[str, Any]]


def nothing_expected(_: datetime, __: datetime) -> Mapping[str, Any]:
    """Where nobody has told of a schedule."""
    return {}


class Foundation:
    """Tools that know of no capability, made once per process and only when asked for."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._looked = 0.0
        self._has_looked = False
        self._asked: str | None = None
        self._untaken: Sequence[StoredKey] | None = None
        self._renewing = threading.Lock()
        self.gate = Gate()
        """Who may work beside whom in this process."""
        self.expected: Expected = nothing_expected
        """What must have run by the first moment if the fleet began at the second; told by those who know the schedule."""

    @cached_property
    def settings(self) -> Settings:
        """The configuration, read once; its keys are as they were rotated up to the last `renew`."""
        return self._settings or load()

    @cached_property
    def keystore(self) -> Keystore:
        """The keys that were rotated."""
        return Keystore(self.client, self.keys, self.settings.state_dir)

    def renew(self) -> None:
        """Take rotated keys up, without a restart; called before every task, it looks once a second."""
        if time.monotonic() - self._looked >= LOOK_AFTER:
            self.renew_at_once()

    def renew_at_once(self) -> bool:
        """Look for rotated keys; whether there are any that were not known. All who ask at once look one after the other."""
        with self._renewing:
            self._looked = time.monotonic()
            try:
                return self._renewed()
            except (ConfigError, TocsinError, OSError, redis.ResponseError) as error:
                # What was in force before holds until that is mended. It stands before every task: none, and no alert with it,
                # must end with what is wrong with a key.
                log.warning("rotated_keys_not_taken_up", error=type(error).__name__, detail=str(error))
                return False

    def _renewed(self) -> bool:
        stored = self.keystore.changed()
        is_asked = self._has_looked and self.keystore.asked != self._asked  # before the first look they were just read
        self._asked, self._has_looked = self.keystore.asked, True
        self._untaken = stored or self._untaken  # what fails from here on is tried again with the next look
        rekeyed = self._turn_to_encryption_keys(ask_anew=is_asked)
        if not self._untaken:
            return rekeyed
        self.settings, self._untaken = with_keystore(self.settings, self._untaken), None
        self.renewed()
        return True

    def _turn_to_encryption_keys(self, *, ask_anew: bool) -> bool:
        """Take up what the sources of encryption keys have by now, and the key that all processes know; whether any of it is new."""
        keys = self.encryption
        if keys is None:
            return False
        keys.look(ask_anew=ask_anew)
        if not keys.is_newest_used or not keys.is_settled:
            keys.settle(known for _, known in self.keys_in_fleet())
        if keys.texts == self.settings.security.key_texts:
            return False
        self.settings = self.settings.with_encryption_keys(keys.texts)
        self.rekeyed()
        return True

    def keys_in_fleet(self) -> list[tuple[str, Sequence[str] | None]]:
        """The processes that are alive by their names, and the ids of the encryption keys that each knows; None where it does not say."""
        now = self.clock.now_ms()
        seen = Presence(self.client, self.keys).all()
        return [(one.sign.name, one.keys) for one in seen if now - one.at <= SILENT]

    def known_keys(self) -> Sequence[str]:
        """The ids of the encryption keys that this process knows, the newest first, after a look for new ones."""
        self.renew()
        return self.encryption.ids if self.encryption else ()

    def renewed(self) -> None:
        """What was made with former keys is made anew."""

    def rekeyed(self) -> None:
        """What was made with former encryption keys is made anew; what holds `encryption` has the new ones."""

    @cached_property
    def keys(self) -> Keys:
        """The names of all Redis keys."""
        return Keys(self.settings.redis.prefix)

    @cached_property
    def client(self) -> Any:
        """The Redis client of rows and scripts."""
        redis = self.settings.redis
        return connect(
            redis.url.get_secret_value(),
            socket_timeout=redis.socket_timeout.total_seconds(),
            connect_timeout=redis.connect_timeout.total_seconds(),
        )

    @cached_property
    def clock(self) -> Clock:
        """The fleet's one clock."""
        return Clock(self.client, self.keys)

    @cached_property
    def metrics(self) -> Metrics:
        """Counters of this process."""
        return Metrics()

    @cached_property
    def errors(self) -> ErrorHandler:
        """Sorts errors and keeps count of them."""
        return ErrorHandler(self.client, self.keys)

    @cached_property
    def acts(self) -> AuditLogger:
        """Writes down who did what."""
        return AuditLogger(self.client, self.keys, self.settings.state_dir / ACTS)

    @cached_property
    def slot_marks(self) -> SlotMarks:
        """What this machine knows of scheduled runs, kept outside Redis."""
        return SlotMarks(self.client, self.keys, self.settings.state_dir / MARKS)

    @cached_property
    def schedule_states(self) -> ScheduleStates:
        """How scheduled tasks stand."""
        return ScheduleStates(self.client, self.keys, self.slot_marks)

    @cached_property
    def flights(self) -> SingleFlight:
        """What one at a time does."""
        return SingleFlight(self.client, self.keys)

    @cached_property
    def pulse(self) -> Pulse:
        """The beat that shows whether workers live."""
        return Pulse(self.client, self.keys)

    @cached_property
    def messages(self) -> MessageGuard:
        """Delivery counters of messages."""
        return MessageGuard(self.client, self.keys, self.settings.delivery.max_deliveries)

    @cached_property
    def admission(self) -> Admission:
        """Lets signed task messages run once."""
        return Admission(self.client, self.keys, self.settings.security.task_window)

    @cached_property
    def graves(self) -> Graves:
        """Dead letters made of raw messages."""
        return Graves(self.client, self.keys, self.sealed_fields)

    @cached_property
    def security(self) -> SecurityManager | None:
        """Encrypts and decrypts; None where no encryption key is set."""
        from tasks.utils.encryption import SecurityManager  # noqa: PLC0415 (few processes encrypt)

        return SecurityManager(self.encryption) if self.encryption else None

    @cached_property
    def encryption(self) -> EncryptionKeys | None:
        """The encryption keys of the moment; None where none is set."""
        texts = self.settings.security.key_texts
        return EncryptionKeys(texts, self.settings.key_sources) if texts else None

    @cached_property
    def sealed_fields(self) -> SealedFields:
        """Encrypts what services want encrypted of their alerts, and opens it for sending."""
        settings = self.settings
        fields = {name: service.encrypt_fields for name, service in settings.services.items()}
        return SealedFields(fields, self.security, settings.default_service)

    @cached_property
    def breakers(self) -> Breakers:
        """Shows which endpoints are left alone, and lets a person decide."""
        return Breakers(self.client, self.keys)

    @cached_property
    def limits(self) -> LimitViews:
        """Shows how fast others may be called."""
        return LimitViews(self.client, self.keys)


def sealed_fields_of(settings: Settings) -> SealedFields:
    """The fields that services want encrypted, for whoever needs nothing else; Redis is asked which key to use, where there are several."""
    foundation = Foundation(settings)
    if len(settings.security.key_texts) > 1:
        with suppress(redis.RedisError):
            foundation.renew()
    return foundation.sealed_fields
