"""Service identities: tokens with which a program does what a person would need a second factor for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.tokens.revocation import in_words
from tasks.utils.actor import Actor
from tasks.utils.error_handler import DeniedError

if TYPE_CHECKING:
    from tasks.tokens.models import AccessToken
    from tasks.tokens.revocation import RevocationList


def service_actor(said: AccessToken, revoked: RevocationList, scope: str, origin: str) -> Actor:
    """The program a token speaks for; DeniedError if it is revoked, a person's, or lacks the scope."""
    found = revoked.of(said)
    if found is not None:
        raise DeniedError(in_words(found))
    if said.kind != "service":
        raise DeniedError(
            "this is an access token of the API and no service identity: tocsin tokens issue --service NAME"
        )
    if scope not in said.scopes:
        raise DeniedError(
            f"the identity {said.subject} lacks the scope {scope}; issue one that has it, for as long as it needs it"
        )
    return Actor("service", said.subject, origin)
