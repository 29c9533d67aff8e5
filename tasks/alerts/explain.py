"""Says of any alert what would become of it and why. Sends nothing, writes nothing, and does without Redis."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import redis

from config.errors import did_you_mean
from config.routing import walk
from tasks.alerts.acceptance import sign
from tasks.alerts.explanation import ALONE, ChannelView, Explanation, RouteLook, Way
from tasks.alerts.labels import labels_of
from tasks.alerts.route_story import look_at
from tasks.alerts.standing import Standing
from tasks.utils.error_handler import InvalidAlertError, UnknownError
from tasks.utils.identifiers import alert_uid
from tasks.utils.rows import milliseconds, service_of
from tasks.utils.validators import check_alert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from config.services import Service
    from tasks.alerts.acceptance import AlertRules
    from tasks.alerts.explanation import Outcome
    from tasks.alerts.routing import Router
    from tasks.alerts.standing import Place, Snapshot, Standings
    from tasks.utils.clock import Clock
    from tasks.utils.validators import CheckedAlert

FOLLOWS = "it follows the open alert"


class Explainer:
    """Explains alerts. `channels` are the lists by destination; `standings` and `clock` are asked if Redis answers."""

    def __init__(
        self,
        rules: AlertRules,
        router: Router,
        services: Mapping[str, Service],
        channels: Mapping[str, Sequence[ChannelView]],
        standings: Standings,
        clock: Clock,
    ) -> None:
        self._rules = rules
        self._router = router
        self._services = services
        self._channels = channels
        self._standings = standings
        self._clock = clock

    def explain(
        self, alerts: Iterable[Any], *, at: datetime | None = None, routes: Sequence[str] = ()
    ) -> list[Explanation]:
        """One explanation per alert in wire shape, as of now or of `at` (aware); `routes` are looked at one by one, too.

        InvalidAlertError names every fault of every alert, UnknownError a route that no service has.
        """
        alerts = list(alerts)
        checked = self._checked(alerts)
        self._check_routes(routes)
        try:
            now = at or self._clock.now()
            standings = self._standings.snapshot()
            return [self._explain(one, now, routes, self._standing(one, now, standings)) for one in checked]
        except redis.RedisError:
            now = at or datetime.now(UTC)
            return [self._explain(one, now, routes, None) for one in checked]

    def _standing(self, checked: CheckedAlert, now: datetime, standings: Snapshot) -> Standing:
        return _standing(checked, labels_of(self._rules.fields.without(checked.alert)), now, standings)

    def _checked(self, alerts: Sequence[Any]) -> list[CheckedAlert]:
        """The alerts as they are accepted, with service and labels settled."""
        ready, faults = [], []
        for number, raw in enumerate(alerts, 1):
            where = f"alert {number}: " if len(alerts) > 1 else ""
            try:
                ready.append(self._settled(raw))
            except InvalidAlertError as error:
                faults += [f"{where}{fault}" for fault in error.errors]
        if faults:
            raise InvalidAlertError(faults)
        return ready

    def _settled(self, raw: Any) -> CheckedAlert:
        checked = check_alert(raw)
        service = checked.alert.setdefault("service", self._rules.default_service)
        if service not in self._services:
            known = ", ".join(sorted(self._services))
            raise InvalidAlertError([f"service {service!r} is not configured; known: {known}"])
        return checked

    def _check_routes(self, names: Sequence[str]) -> None:
        known = [route.name for service in self._services.values() for route in walk(service.routes)]
        for name in names:
            if name not in known:
                raise UnknownError(
                    f"there is no route {name!r}; {did_you_mean(name, known) if known else 'no service has any'}"
                )

    def _explain(
        self, checked: CheckedAlert, now: datetime, routes: Sequence[str], standing: Standing | None
    ) -> Explanation:
        alert = checked.alert
        labels = labels_of(self._rules.fields.without(alert))
        service = alert["service"]
        follows = _follows(alert, standing)
        outcome, why = self._outcome(alert, now, standing or Standing())
        ways = self._ways(alert, labels, now, standing if follows else None)
        return Explanation(
            service=service,
            action=alert["event_action"],
            dedup_key=alert.get("dedup_key", ""),
            at=now,
            outcome=outcome,
            outcome_why=why,
            adaptations=list(checked.adaptations),
            labels=labels,
            ways=ways,
            destinations=list(dict.fromkeys(way.destination for way in ways)),
            follows=follows,
            group="; ".join(dict.fromkeys(way.group for way in ways)),
            rules=list(standing.rules) if standing and alert["event_action"] == "trigger" else [],
            state_known=standing is not None,
            looks=self._looks(service, labels, now, routes),
        )

    def _outcome(self, alert: Mapping[str, Any], now: datetime, standing: Standing) -> tuple[Outcome, str]:
        """What would become of it, asked in the order of the script that accepts alerts (see lua/accept.lua)."""
        action = alert["event_action"]
        if action == "change":
            return "sent", ""
        in_force = next((rule.rule for rule in standing.rules if rule.in_force), "")
        if action == "trigger" and in_force:
            return "suppressed", in_force
        if action != "acknowledge" and standing.is_flapping:
            return "suppressed", "flapping"
        window = milliseconds(self._rules.dedup_windows[alert["service"]])
        age = now.timestamp() * 1000 - standing.last_at
        if "dedup_key" in alert and sign(alert) == standing.last_sign and age < window:
            return "merged", f"it says the same as event {standing.last_id} {age / 1000:.0f} seconds before"
        return "sent", ""

    def _ways(
        self, alert: Mapping[str, Any], labels: Mapping[str, str], now: datetime, standing: Standing | None
    ) -> list[Way]:
        if standing:
            return [self._followed(destination, places) for destination, places in standing.open_at.items()]
        is_change = alert["event_action"] == "change"
        return [
            Way(
                route=route.name,
                destination=route.destination,
                why=list(route.why),
                channels=[c for c in self._channels_of(route.destination) if c.takes_changes or not is_change],
                group=route.grouping.told(labels) if route.grouping and not is_change else ALONE,
            )
            for route in self._router.route(alert["service"], labels, now).routes
        ]

    def _followed(self, destination: str, places: Sequence[Place]) -> Way:
        """The way of what follows an open alert: the places that hold it open, else those that it waits for."""
        kinds = {channel.name: channel.kind for channel in self._channels_of(destination)}
        there = [ChannelView(name=p.channel, kind=kinds.get(p.channel, "pagerduty"), key_id=p.key_id) for p in places]
        channels = there or list(self._channels_of(destination))
        return Way(route=FOLLOWS, destination=destination, channels=channels, group="with the alert it follows")

    def _channels_of(self, destination: str) -> Sequence[ChannelView]:
        return self._channels.get(destination) or self._channels.get(service_of(destination), ())

    def _looks(self, service: str, labels: Mapping[str, str], now: datetime, names: Sequence[str]) -> list[RouteLook]:
        looks = {look.name: look for look in look_at(self._services[service].routes, labels, now)} if names else {}
        return [
            RouteLook(
                route=name, verdict=look.verdict, held=list(look.held), failed=list(look.failed), because=look.because
            )
            if (look := looks.get(name))
            else RouteLook(route=name, verdict="not_tried", because=f"service {service!r} has no such route")
            for name in names
        ]


def _standing(checked: CheckedAlert, labels: Mapping[str, str], now: datetime, standings: Snapshot) -> Standing:
    alert = checked.alert
    uid = alert_uid(alert["service"], alert.get("dedup_key", ""))
    return standings.of(uid, alert["service"], labels, now)


def _follows(alert: Mapping[str, Any], standing: Standing | None) -> bool:
    """Whether an acknowledge or resolve has an open alert to follow."""
    return (
        alert["event_action"] in ("acknowledge", "resolve")
        and standing is not None
        and standing.status in ("open", "acknowledged")
    )
