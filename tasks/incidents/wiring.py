"""Work on incidents as the settings have it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tasks.incidents.loose import LooseRows, WallClock
from tasks.incidents.rows import ActionRows
from tasks.incidents.service import IncidentRules, IncidentService
from tasks.utils.clock import Clock

if TYPE_CHECKING:
    from config.models import Settings
    from tasks.incidents.stepping import Hear
    from tasks.utils.error_handler import ErrorHandler
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient


class IncidentWiring:
    """The services of one process that concern PagerDuty's incidents."""

    def __init__(
        self, client: Any, keys: Keys, rest: RestClient, settings: Settings, errors: ErrorHandler, hear: Hear
    ) -> None:
        self._client = client
        self._keys = keys
        self._rest = rest
        self._settings = settings
        self._errors = errors
        self._hear = hear

    @cached_property
    def rows(self) -> ActionRows:
        """What was asked to be done to incidents."""
        return ActionRows(self._client, self._keys)

    @cached_property
    def service(self) -> IncidentService:
        """Does things to incidents."""
        clock = Clock(self._client, self._keys)
        return IncidentService(self._rest, self.rows, clock, incident_rules(self._settings), self._errors, self._hear)


def incident_rules(settings: Settings) -> IncidentRules:
    """Bounds and names."""
    places = settings.pagerduty_services
    return IncidentRules(
        give_up_after=settings.incidents.give_up_after,
        places=places,
        default_place=settings.pagerduty.service_id or places.get(settings.default_service, ""),
    )


def loose_service(settings: Settings, rest: RestClient) -> IncidentService:
    """The service for a shell while Redis is away: it acts at once, and nothing of it is written down here."""
    return IncidentService(rest, LooseRows(), WallClock(), incident_rules(settings))
