"""What delivers alerts, and shows what waits and what could not be delivered. A part of the wiring."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tasks.deciding import Decisions
from tasks.notifications.budgets import Budgets
from tasks.notifications.dead_letters import DeadLetters
from tasks.notifications.groups import Groups
from tasks.notifications.letter_care import LetterCare
from tasks.notifications.telling import Teller
from tasks.notifications.wiring import delivery_service, letters_of, names_of, routes_of, users_of

if TYPE_CHECKING:
    from tasks.notifications.service import DeliveryService, Route


class Deliveries(Decisions):
    """Delivers what was decided, by the ways out that services have."""

    @cached_property
    def teller(self) -> Teller:
        """Tells what came of attempts to deliver."""
        return Teller(self.metrics, self.errors)

    @cached_property
    def routes(self) -> dict[str, Route]:
        """The way out of every destination."""
        return routes_of(self.settings, self.router.words.fallback)

    @property
    def endpoints(self) -> list[str]:
        """Everything that deliveries go to."""
        return sorted(names_of(self.routes))

    @cached_property
    def delivery(self) -> DeliveryService:
        """Delivers what is due."""
        settings, names, fields = self.settings, names_of(self.routes), self.sealed_fields
        letters = letters_of(settings, self.client, self.keys, self.teller, names, fields)
        made = delivery_service(settings, letters, self.client, self.keys, self.teller, self.routes)
        made.renew, made.look = self.renew_at_once, self.renew
        return made

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """Shows what could not be delivered."""
        return DeadLetters(self.client, self.keys)

    @cached_property
    def letter_care(self) -> LetterCare:
        """Gives dead letters another chance, or gives them up."""
        return LetterCare(self.client, self.keys)

    @cached_property
    def groups(self) -> Groups:
        """Shows what waits to be told together."""
        return Groups(self.client, self.keys)

    @cached_property
    def budgets(self) -> Budgets:
        """Shows how much of each key's minute is spent."""
        return Budgets(self.client, self.keys, users_of(self.routes))
