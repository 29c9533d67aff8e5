"""Which dead letters are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

if TYPE_CHECKING:
    from datetime import datetime

    from tasks.notifications.models import DeadLetter

Name = Annotated[str, StringConstraints(max_length=200)]
SAME: Final = ("reason", "channel", "action", "severity")


class LetterFilter(BaseModel):
    """What a dead letter must be like. What is left empty fits all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: Name = Field("", description="Of this service, or of this one of its destinations.")
    reason: Name = Field("", description="Died of this, such as key_rejected.")
    since: AwareDatetime | None = Field(None, description="Died then or later.")
    until: AwareDatetime | None = Field(None, description="Died then or before.")
    channel: Name = Field("", description="Tried there last.")
    action: Name = Field("", description="trigger, acknowledge, resolve or change.")
    severity: Name = Field("", description="critical, error, warning or info.")
    summary: Name = Field("", description="These words stand in its summary, in whatever case.")

    @property
    def fits_all(self) -> bool:
        """Whether nothing is asked for."""
        return self == EVERY_LETTER

    def fits(self, letter: DeadLetter) -> bool:
        """Whether a letter is one of those, its time aside."""
        if self.service and self.service not in (letter.service, letter.destination):
            return False
        if any(getattr(self, name) not in ("", getattr(letter, name)) for name in SAME):
            return False
        return self.summary.casefold() in letter.summary.casefold()

    def span(self) -> tuple[str, str]:
        """First and last time of death, as Redis takes them."""
        return _score(self.since, "-inf"), _score(self.until, "+inf")


EVERY_LETTER: Final = LetterFilter()


def _score(moment: datetime | None, none: str) -> str:
    return none if moment is None else f"{moment.timestamp() * 1000:.0f}"
