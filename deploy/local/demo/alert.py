from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["trigger", "resolve"]
Fate = Literal["delivered", "merged", "suppressed", "dead"]


class StoryError(RuntimeError):
    """The story cannot go on; the message says what did not happen."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of the story, before it takes the shape of any sender."""

    name: str
    service: str
    summary: str = ""
    severity: str = "critical"
    action: Action = "trigger"

    def event(self) -> dict[str, Any]:
        """The alert as an Events v2 body, without a key and without a service."""
        event: dict[str, Any] = {"event_action": self.action, "dedup_key": self.name}
        if self.action == "trigger":
            event["payload"] = {"summary": self.summary, "source": f"{self.name}.demo", "severity": self.severity}
        return event

    def resolve(self) -> "Alert":
        """The news that it is over."""
        return Alert(self.name, self.service, action="resolve")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One line on the senders' list: an alert that somebody was told is accepted, and what must become of it.

    `key` is the dedup key it goes by.
    """

    alert: Alert
    key: str
    door: str
    fate: Fate

    @property
    def subject(self) -> tuple[str, str]:
        """What the witnesses know it by: dedup key and action."""
        return self.key, self.alert.action
