"""Tokens and OAuth apps as an account file has them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Region: TypeAlias = Literal["us", "eu"]
TokenText: TypeAlias = Annotated[str, Field(pattern=r"^\S{20}$")]
A_DAY = 86_400


class TokenDocument(BaseModel):
    """A REST key: the account's, or a user's."""

    model_config = ConfigDict(extra="forbid")

    token: TokenText
    user: str | None = Field(None, description="the id of the user whose key it is; unset = the account's")
    read_only: bool = False
    region: Region | None = Field(None, description="where it is valid; unset = where the account is")


class OAuthClientDocument(BaseModel):
    """An app with scoped OAuth, which gets tokens by its client credentials."""

    model_config = ConfigDict(extra="forbid")

    client_id: str = Field(min_length=1)
    client_secret: str = Field(min_length=1)
    scopes: tuple[str, ...] | None = Field(None, description="the scopes it may ask for; unset = all")
    expires_in: int = Field(A_DAY, gt=0, description="how many seconds its tokens live, on the sandbox's clock")
