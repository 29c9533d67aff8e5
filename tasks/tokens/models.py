"""What the token service answers."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

TokenKind = Literal["access", "service"]


class AccessToken(BaseModel):
    """What a good token says: who its holder is and what it allows."""

    id: str = Field("", description="Its own name (claim `jti`), by which it can be revoked.")
    kind: TokenKind = Field("access", description="`service`: the identity of a program that acts in a shell.")
    subject: str
    scopes: list[str] = Field(description="Words such as alerts:read, sorted; what is not named is not allowed.")
    issued_at: AwareDatetime
    expires_at: AwareDatetime
