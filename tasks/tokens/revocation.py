"""What makes a token that is good by itself be refused all the same; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tasks.tokens.models import AccessToken

Kind = Literal["token", "subject", "all"]
ALL: Final = "all"


class Revocation(BaseModel):
    """One token by its id, or all of a subject, or all there are, that were issued up to a moment."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    of: str = Field("", description="The token's id (jti), or the subject.")
    issued_until: AwareDatetime | None = Field(
        None, description="Tokens issued after that are good again; of one token it stands empty."
    )
    at: AwareDatetime = Field(description="When it was said.")
    forgotten_at: AwareDatetime = Field(description="No token it is about is valid any longer then.")
    by: str = Field(description="Who said it.")
    comment: str = Field("", description="Why.")

    @property
    def name(self) -> str:
        """What tells it from others."""
        return ALL if self.kind == ALL else f"{self.kind}:{self.of}"

    @property
    def reach(self) -> int:
        """Of two with one name, the one that reaches further counts (ms)."""
        return round((self.issued_until or self.forgotten_at).timestamp() * 1000)


class RevocationList:
    """Everything that is revoked, looked up by token."""

    def __init__(self, revocations: Iterable[Revocation] = ()) -> None:
        self._found: dict[str, Revocation] = {}
        for one in revocations:
            known = self._found.get(one.name)
            if known is None or known.reach < one.reach:
                self._found[one.name] = one

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Revocation]:
        return iter(self._found.values())

    def of(self, token: AccessToken) -> Revocation | None:
        """Why this token is refused; None if it is not."""
        if token.id and (one := self._found.get(f"token:{token.id}")):
            return one
        for name in (f"subject:{token.subject}", ALL):
            one = self._found.get(name)
            if one and one.issued_until and token.issued_at <= one.issued_until:
                return one
        return None

    def alive(self, now: datetime) -> RevocationList:
        """Those that are not to be forgotten yet."""
        return RevocationList(one for one in self._found.values() if one.forgotten_at > now)

    def beyond(self, other: RevocationList) -> list[Revocation]:
        """Those that `other` lacks, or knows with a shorter reach."""
        known = other._found
        return [one for name, one in self._found.items() if name not in known or known[name].reach < one.reach]

    def joined(self, other: RevocationList) -> RevocationList:
        """All of both."""
        return RevocationList([*self._found.values(), *other._found.values()])


def in_words(revocation: Revocation) -> str:
    """What the holder of a refused token hears."""
    if revocation.kind == "token":
        return "the token has been revoked; get a new one"
    until = f"{revocation.issued_until:%Y-%m-%d %H:%M:%S} UTC" if revocation.issued_until else "then"
    whose = "all tokens" if revocation.kind == ALL else "all tokens of this subject"
    return f"{whose} issued up to {until} have been revoked; get a new one"
