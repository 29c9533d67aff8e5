"""What the token service answers."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field


class AccessToken(BaseModel):
    """What a good token says: who its holder is and what it allows."""

    subject: str
    scopes: list[str] = Field(description="Words such as alerts:read, sorted; what is not named is not allowed.")
    issued_at: AwareDatetime
    expires_at: AwareDatetime
