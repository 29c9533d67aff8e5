"""Somebody who changes and removes things of an account at random."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.utils.rest.client import RestClient


class Meddler:
    """Does as many things to an account as it is told; what PagerDuty refuses it leaves."""

    def __init__(self, rest: RestClient, seed: int) -> None:
        self._rest = rest
        self._chance = random.Random(seed)
        self._deeds: tuple[Callable[[], None], ...] = (
            *[self._change_or_remove] * 6,
            self._remove_a_door,
            self._remove_a_member,
            self._remove_a_contact_method,
        )

    def meddle(self, times: int) -> int:
        """How many things were done."""
        done = 0
        for _ in range(times):
            try:
                self._chance.choice(self._deeds)()
            except (PermanentError, IndexError):  # it is in use, or there is none left
                continue
            done += 1
        return done

    def _change_or_remove(self) -> None:
        rest = self._rest
        kinds: tuple[Any, ...] = (
            rest.services, rest.teams, rest.users, rest.schedules.v2, rest.escalation_policies, rest.business_services,
            rest.extensions, rest.tags, rest.orchestrations, rest.alert_grouping, rest.maintenance_windows, rest.webhooks,
        )  # fmt: skip
        kind = self._chance.choice(kinds)
        found = self._one_of(kind.list())
        if self._chance.random() < 0.5:
            kind.delete(found["id"])
        else:
            field = "name" if "name" in found else "description"
            kind.update(found["id"], {field: f"meddled with {self._chance.randrange(9999)}"})

    def _remove_a_door(self) -> None:
        service = self._one_of(self._rest.services.list(include=["integrations"]))
        self._rest.services.integrations_of(service["id"]).delete(self._one_of(service["integrations"])["id"])

    def _remove_a_member(self) -> None:
        team = self._one_of(self._rest.teams.list())
        member = self._one_of(self._rest.teams.members(team["id"]))
        self._rest.teams.remove_member(team["id"], member["user"]["id"])

    def _remove_a_contact_method(self) -> None:
        methods = self._rest.users.contact_methods(self._one_of(self._rest.users.list())["id"])
        methods.delete(self._one_of(methods.list())["id"])

    def _one_of(self, found: Any) -> dict[str, Any]:
        return dict(self._chance.choice(list(found)))
