"""Why PagerDuty may have taken an alert and rightly show no incident of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from tasks.utils.identifiers import key_id as id_of_key
from tasks.utils.rest.errors import MissingAbilityError, NotFoundError, RefusedError
from tasks.utils.rest.parameters import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from tasks.incidents.receipt_models import Waiting
    from tasks.utils.rest.client import RestClient

Excuse = tuple[Literal["seen", "unverified"], str]
MAY_BE_SUPPRESSED: Final[Excuse] = ("unverified", "may_be_suppressed")
UNKNOWN_SERVICE: Final[Excuse] = ("unverified", "unknown_service")
PAUSING: Final = "auto_pause_notifications_parameters"
RULES_FOR_MS: Final = 600_000
WINDOWS_FOR_MS: Final = 60_000
MOST_PAST: Final = 1000
QUIETING: Final = ("suppress", "suspend", "drop_event", "event_action")  # actions of rules
KEY: Final = "event.dedup_key"  # what is extracted into it is another key than the one it is looked for by


class Excuses:
    """Asks PagerDuty when an alert seems to be missed, and remembers the answers for a while. `now` is the fleet's clock (ms).

    `homes` gives the services each key leads to, by the key's id.
    """

    def __init__(
        self, rest: RestClient, homes: Callable[[], Mapping[str, Collection[str]]], now: Callable[[], int]
    ) -> None:
        self._rest = rest
        self._homes = homes
        self._now = now
        self._rules: dict[str, tuple[int, Any]] = {}
        self._windows: tuple[int, list[Mapping[str, Any]]] = (0, [])

    def of(self, row: Waiting) -> Excuse | None:
        """The first excuse there is; where the service is not known nobody can tell."""
        services = self._homes().get(row.key_id) or self._known("routed", self._routed).get(row.key_id)
        if services is None:
            return UNKNOWN_SERVICE
        if self._is_in_maintenance(services, row):
            return "seen", "maintenance"
        if row.key_id in self._known("routed", self._routed) and self._known("global", self._any_global_quiets):
            return MAY_BE_SUPPRESSED
        return next(filter(None, (self._known(one, self._of_service, one) for one in services)), None)

    def _known(self, name: str, ask: Callable[..., Any], *args: Any) -> Any:
        """What was asked for within the last ten minutes, or is now."""
        at, answer = self._rules.get(name, (0, None))
        if not at or not 0 <= self._now() - at < RULES_FOR_MS:
            at, answer = self._now(), ask(*args)
            self._rules[name] = (at, answer)
        return answer

    def _of_service(self, service_id: str) -> Excuse | None:
        try:
            service = self._rest.services.get(service_id, include=[PAUSING])
        except RefusedError:
            return UNKNOWN_SERVICE
        if service.get("status") == "disabled":
            return "unverified", "service_disabled"
        paused = (service.get(PAUSING) or {}).get("enabled")
        return MAY_BE_SUPPRESSED if paused or self._service_quiets(service_id) else None

    def _service_quiets(self, service_id: str) -> bool:
        return self._may_quiet(
            lambda: (
                self._rest.orchestrations.is_active(service_id) and self._rest.orchestrations.service_rules(service_id)
            )
        )

    def _any_global_quiets(self) -> bool:
        parts: tuple[Literal["global", "unrouted"], ...] = ("global", "unrouted")
        read = self._rest.orchestrations.rules
        return any(self._may_quiet(partial(read, one["id"], part)) for one in self._orchestrations() for part in parts)

    def _may_quiet(self, read: Callable[[], Any]) -> bool:
        try:
            return any(_quieting(read()))
        except (NotFoundError, MissingAbilityError):
            return False
        except RefusedError:
            return True  # there may be rules that we must not see

    def _routed(self) -> dict[str, set[str]]:
        """Where the keys of orchestrations lead: id of the key -> services."""
        found: dict[str, set[str]] = {}
        for one in self._orchestrations():
            keys = [
                (door.get("parameters") or {}).get("routing_key")
                for door in self._rest.orchestrations.integrations(one["id"]).list()
            ]
            services = set(_routes(self._rest.orchestrations.rules(one["id"], "router")))
            found |= {id_of_key(key): services for key in keys if key}
        return found

    def _orchestrations(self) -> list[Mapping[str, Any]]:
        try:
            return list(self._rest.orchestrations.list())
        except (NotFoundError, MissingAbilityError):
            return []

    def _is_in_maintenance(self, services: Collection[str], row: Waiting) -> bool:
        return any(
            {service["id"] for service in window.get("services") or []} & set(services)
            and _ms(window["start_time"]) <= row.last
            and _ms(window["end_time"]) >= row.sent
            for window in self._windows_since(row.last)
        )

    def _windows_since(self, sent: int) -> list[Mapping[str, Any]]:
        """PagerDuty's maintenance windows, read after that moment."""
        at, windows = self._windows
        if at < sent or not 0 <= self._now() - at < WINDOWS_FOR_MS:
            at, windows = self._now(), []
            for kind in ("ongoing", "past"):  # one that ends between the two is in both
                listed = self._rest.maintenance_windows.list(filter=kind)
                windows += [window for window, _ in zip(listed, range(MOST_PAST), strict=False)]
            self._windows = (at, windows)
        return windows


def _quieting(rules: Any) -> Iterator[bool]:
    """Each action in a document of rules that keeps an event from becoming an incident at once, or by its own key."""
    if isinstance(rules, dict):
        yield from (True for name in QUIETING if rules.get(name))
        yield from (True for one in rules.get("extractions") or () if one.get("target") == KEY)
        rules = list(rules.values())
    if isinstance(rules, list):
        for one in rules:
            yield from _quieting(one)


def _routes(rules: Any) -> Iterator[str]:
    if isinstance(rules, dict):
        if rules.get("route_to") not in (None, "unrouted"):
            yield rules["route_to"]
        rules = list(rules.values())
    if isinstance(rules, list):
        for one in rules:
            yield from _routes(one)


def _ms(text: str) -> float:
    return moment(text).timestamp() * 1000
