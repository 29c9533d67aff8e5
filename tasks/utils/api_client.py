"""PagerDuty's REST API for coroutines; what it can do and how it behaves is that of tasks/utils/rest."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Self, TypeVar

from tasks.utils.rest.documents import incident_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from tasks.utils.rest.client import RestClient
    from tasks.utils.rest.collection import Collection
    from tasks.utils.rest.pages import Item

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE: Final = timedelta(seconds=30)


class PagerDutyAPIClient:
    """`client = PagerDutyAPIClient(); await client.create_incident({"title": …, "service_id": …, "urgency": "high"})`.

    Without arguments it uses the configured account. Calls wait up to `patience` for their turn under the limit that all processes
    share; each runs on a thread, so that the loop goes on. Items are PagerDuty's plain dicts. Everything that has no method here:
    `await client.call(client.rest.tags.change, "users", "PUSER01", add=["night"])`.
    """

    def __init__(
        self, rest: RestClient | None = None, *, patience: timedelta = PATIENCE, default_service: str | None = None
    ) -> None:
        if rest is None:
            rest, configured = _configured()
            default_service = default_service or configured
        self.rest = rest.limited(patience=patience)
        self._default_service = default_service

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.call(self.rest.close)

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What a method of `client.rest` returns."""
        return await asyncio.to_thread(function, *args, **kwargs)

    async def create_incident(self, incident: Mapping[str, Any]) -> Item:
        """The new incident, from `title`, `service_id` (or `pagerduty.service_id`), and if wanted `urgency`, `details`, `priority_id`,
        `escalation_policy_id`, `assignees`, `incident_key`; with that key it is safe to try again.
        """  # noqa: D205 - the list is one sentence
        return await self.call(self.rest.incidents.create, incident_of(incident, self._default_service))

    async def get_incident(self, incident_id: str) -> Item:
        """The incident of that id."""
        return await self.call(self.rest.incidents.get, incident_id)

    async def list_incidents(self, **filters: Any) -> list[Item]:
        """All incidents that fit, oldest first: `statuses=["triggered"]`, `since=`, `until=`, `service_ids=[…]` and so on."""
        return await self.call(lambda: list(self.rest.incidents.list(**filters)))

    async def update_incident(self, incident_id: str, changes: Mapping[str, Any]) -> Item:
        """The incident after the changes."""
        return await self.call(self.rest.incidents.update, incident_id, changes)

    async def update_incidents(self, changes: Iterable[Mapping[str, Any]]) -> list[Item]:
        """Many incidents after the changes, each named by its `id`; 250 in one request."""
        return await self.call(self.rest.incidents.update_many, changes)

    async def acknowledge_incident(self, incident_id: str) -> Item:
        """The incident, acknowledged."""
        return await self.call(self.rest.incidents.acknowledge, incident_id)

    async def resolve_incident(self, incident_id: str, resolution: str | None = None) -> Item:
        """The incident, resolved."""
        return await self.call(self.rest.incidents.resolve, incident_id, resolution=resolution)

    async def merge_incidents(self, incident_id: str, sources: Sequence[str]) -> Item:
        """The incident with the alerts of the others."""
        return await self.call(self.rest.incidents.merge, incident_id, sources)

    async def snooze_incident(self, incident_id: str, duration: timedelta) -> Item:
        """The incident, quiet for so long."""
        return await self.call(self.rest.incidents.snooze, incident_id, duration)

    async def reassign_incident(self, incident_id: str, users: Sequence[str]) -> Item:
        """The incident, assigned to these users."""
        return await self.call(self.rest.incidents.reassign, incident_id, users=users)

    async def add_note(self, incident_id: str, text: str) -> Item:
        """The note that was added."""
        return await self.call(self.rest.incidents.add_note, incident_id, text)

    async def list_notes(self, incident_id: str) -> list[Item]:
        """All notes of an incident."""
        return await self.call(self.rest.incidents.notes, incident_id)

    async def list_alerts(self, incident_id: str, **filters: Any) -> list[Item]:
        """All alerts of an incident."""
        return await self.call(lambda: list(self.rest.incidents.alerts(incident_id, **filters)))

    async def list_log_entries(self, **filters: Any) -> list[Item]:
        """What happened, newest first: `since=`, `until=`."""
        return await self.call(lambda: list(self.rest.log_entries.list(**filters)))

    async def list_services(self, **filters: Any) -> list[Item]:
        """All services that fit."""
        return await self._all(self.rest.services, filters)

    async def get_service(self, service_id: str) -> Item:
        """The service of that id."""
        return await self.call(self.rest.services.get, service_id)

    async def list_users(self, **filters: Any) -> list[Item]:
        """All users that fit."""
        return await self._all(self.rest.users, filters)

    async def get_user(self, user_id: str) -> Item:
        """The user of that id."""
        return await self.call(self.rest.users.get, user_id)

    async def list_oncalls(self, **filters: Any) -> list[Item]:
        """Who is on call, for which policy and level."""
        return await self._all(self.rest.oncalls, filters)

    async def list_escalation_policies(self, **filters: Any) -> list[Item]:
        """All escalation policies that fit."""
        return await self._all(self.rest.escalation_policies, filters)

    async def list_schedules(self, **filters: Any) -> list[Item]:
        """All schedules, of both kinds."""
        return await self.call(lambda: list(self.rest.schedules.list(**filters)))

    async def list_teams(self, **filters: Any) -> list[Item]:
        """All teams that fit."""
        return await self._all(self.rest.teams, filters)

    async def list_maintenance_windows(self, **filters: Any) -> list[Item]:
        """All maintenance windows that fit: `filter="ongoing"`."""
        return await self._all(self.rest.maintenance_windows, filters)

    async def create_maintenance_window(self, window: Mapping[str, Any]) -> Item:
        """The new window, from `start_time`, `end_time`, `services` and `description`."""
        return await self.call(self.rest.maintenance_windows.create, window)

    async def list_priorities(self) -> list[Item]:
        """The account's priorities, highest first."""
        return await self._all(self.rest.priorities, {})

    async def list_abilities(self) -> list[str]:
        """What the account's plan has."""
        return await self.call(self.rest.abilities.list)

    async def _all(self, collection: Collection, filters: Mapping[str, Any]) -> list[Item]:
        return await self.call(lambda: list(collection.list(**filters)))


def _configured() -> tuple[RestClient, str | None]:
    from config.settings import load  # noqa: PLC0415 - only scripts without wiring read settings here
    from tasks.utils.connect import connect  # noqa: PLC0415
    from tasks.utils.keys import Keys  # noqa: PLC0415
    from tasks.utils.rest.wiring import rest_client  # noqa: PLC0415

    settings = load()
    client = connect(settings.redis.url.get_secret_value())
    return rest_client(settings, client, Keys(settings.redis.prefix), load), settings.pagerduty.service_id
