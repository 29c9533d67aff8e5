"""What is kept and shown of second factors."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, Field

Way = Literal["code", "recovery code"]


class Factor(NamedTuple):
    """A person's second factor as it lies encrypted: the secret (hex), when it was enrolled, what is left of the recovery codes."""

    secret: str
    enrolled_at: str
    salt: str
    hashes: list[str]


class FactorView(BaseModel):
    """A person's second factor as others may see it."""

    person: str
    enrolled_at: AwareDatetime | None = Field(None, description="Not known where it cannot be decrypted.")
    recovery_codes: int = Field(0, description="How many are left.")
    used_at: AwareDatetime | None = Field(None, description="When it was last used.")
    wrong_codes: int = Field(0, description="Since the last right one.")
    locked_until: AwareDatetime | None = Field(None, description="No code is taken before.")
    fault: str = Field("", description="Why it cannot be used, if it cannot.")


class Enrolment(NamedTuple):
    """A second factor that is about to be: nothing is kept before its first code is given."""

    person: str
    secret: bytes
    text: str
    uri: str
