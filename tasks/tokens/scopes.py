"""What a token may allow, and the roles that are shorthand for it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.tokens.destructive import ACT_SCOPES
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VIEWER: Final = {
    "alerts:read": "see alerts, and ask what would become of one",
    "trails:read": "read what became of an event, step by step",
    "silences:read": "see silences, and preview what one would hold back",
    "maintenance:read": "see maintenance windows, and preview what one would hold back",
    "dead-letters:read": "see what could not be delivered",
    "health:read": "see how Tocsin is",
    "schedules:read": "see what runs when, and how it went",
}
_RESPONDER: Final = {
    **_VIEWER,
    "alerts:write": "raise, acknowledge and resolve alerts",
    "silences:write": "make and end silences",
}
_OPERATOR: Final = {
    **_RESPONDER,
    "maintenance:write": "make and end maintenance windows",
    "dead-letters:replay": "give dead letters another chance",
    "schedules:write": "let scheduled tasks rest, and run again",
}
_ADMIN: Final = {
    **_OPERATOR,
    "dead-letters:drop": "give dead letters up",
    "tokens:read": "see which access tokens are revoked",
    "tokens:revoke": "revoke access tokens",
    "audit:read": "see who did what",
}
SCOPES: Final[Mapping[str, str]] = _ADMIN  # scope -> what its holder may do
ROLES: Final[Mapping[str, frozenset[str]]] = {
    "viewer": frozenset(_VIEWER),
    "responder": frozenset(_RESPONDER),
    "operator": frozenset(_OPERATOR),
    "admin": frozenset(_ADMIN),
}


def scopes_of(role: str | None, more: Iterable[str] = (), *, acts: bool = False) -> frozenset[str]:
    """The scopes of a role and those named one by one; PermanentError lists all that are unknown.

    `acts`: those of destructive acts are known, too, which only service identities have.
    """
    named = frozenset(more)
    known = {**SCOPES, **ACT_SCOPES} if acts else SCOPES
    faults = [f"there is no scope {scope!r}; there are {', '.join(known)}" for scope in sorted(named - set(known))]
    if role is not None and role not in ROLES:
        faults.append(f"there is no role {role!r}; there are {', '.join(ROLES)}")
    if faults:
        raise PermanentError("; ".join(faults))
    return named | (ROLES[role] if role else frozenset())
