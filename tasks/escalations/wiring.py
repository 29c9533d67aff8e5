"""Escalations as the settings have them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tasks.escalations.audit import Auditor
from tasks.escalations.compiling import compiled
from tasks.escalations.desk import EscalationDesk
from tasks.escalations.freezing import Freezer
from tasks.escalations.messages import Ways
from tasks.escalations.pauses import RulePause
from tasks.escalations.rows import EscalationRows
from tasks.escalations.service import EscalationService

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.models import Settings
    from tasks.escalations.models import ChangeReport
    from tasks.escalations.pauses import Store
    from tasks.escalations.policy import Policy
    from tasks.escalations.service import Told
    from tasks.utils.keys import Keys


class Escalations:
    """The services of one process that concern escalations."""

    def __init__(self, client: Any, keys: Keys, settings: Settings, store: Store, told: Told) -> None:
        self._client = client
        self._keys = keys
        self._settings = settings
        self._told = told
        self._pause = RulePause(store, client, keys)

    @cached_property
    def service(self) -> EscalationService:
        """Takes the steps that are due."""
        rows = EscalationRows(self._client, self._keys)
        return EscalationService(rows, ways_of(self._settings), self._pause, told=self._told)

    @cached_property
    def auditor(self) -> Auditor:
        """Looks after the timers."""
        return Auditor(self._client, self._keys, freezer_of(self._settings), self._pause)

    @cached_property
    def desk(self) -> EscalationDesk:
        """What people do with escalations."""
        return EscalationDesk(self._client, self._keys, self._settings.services)

    def start(self, names: str | Sequence[str], service: str = "") -> ChangeReport:
        """Give open alerts their timers; those that have them, or whose escalation has come to its end, stay as they are."""
        return self.desk.start(_listed(names), service, self.auditor)

    def cancel(self, names: str | Sequence[str], service: str = "", reason: str = "by_task") -> ChangeReport:
        """End escalations by a named reason."""
        return self.desk.cancel(_listed(names), service, reason=reason)


def policies_of(settings: Settings) -> dict[str, Policy]:
    """How the alerts of each service escalate; services that name no policy are left out."""
    known = {name: compiled(said, settings.holidays) for name, said in settings.policies.items()}
    return {one.name: known[one.escalation] for one in settings.services.values() if one.escalation}


def freezer_of(settings: Settings) -> Freezer:
    """The policies, ready to be frozen."""
    return Freezer(policies_of(settings))


def ways_of(settings: Settings) -> Ways:
    """Where each channel of each service leads by itself."""
    return Ways(
        {
            service.name: {channel.name: service.destination((channel.name,)) for channel in service.channels}
            for service in settings.services.values()
        }
    )


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
