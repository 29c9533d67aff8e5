"""Policies as they are frozen into the escalations that begin by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tasks.escalations.policy import due_after
from tasks.escalations.rows import as_ms
from tasks.utils.rows import milliseconds

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from datetime import datetime

    from tasks.escalations.policy import Policy


class _Frozen(NamedTuple):
    policy: Policy
    text: str  # its digest, a line, and what the server keeps under that; see lua/lib/escalation.lua


class Freezer:
    """Knows every service's policy; freezes it once for each severity."""

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        self._policies = policies
        self._frozen: dict[tuple[str, str], _Frozen] = {}

    @property
    def services(self) -> Container[str]:
        """The services whose alerts escalate."""
        return self._policies

    def spec(self, service: str, severity: str, at: datetime) -> str:
        """How an alert of that service that begins then escalates, as the server takes it; '' where it does not."""
        if service not in self._policies:
            return ""
        frozen = self._frozen.get((service, severity)) or self._freeze(service, severity)
        first = due_after(frozen.policy, 0, at)
        return f"{as_ms(first)} {frozen.text}" if first else ""

    def _freeze(self, service: str, severity: str) -> _Frozen:
        policy = self._policies[service].of(severity)
        spans = (policy.acknowledgement_timeout, policy.auto_resolve)
        times = " ".join(str(milliseconds(span) if span else 0) for span in spans)
        unseen = "1" if policy.escalates_unseen else "0"
        text = f"{policy.digest}\n{times} {unseen}\n{policy.to_json()}"
        return self._frozen.setdefault((service, severity), _Frozen(policy, text))
