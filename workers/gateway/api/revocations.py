"""Tokens that are refused before they expire."""

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tasks.tokens.revocation import ALL, Kind, Revocation
from tasks.tokens.service import MOST_BYTES, MOST_ID, MOST_SUBJECT, RefusedTokenError
from tasks.utils.error_handler import PermanentError
from workers.gateway.api.access import Holder, Wired, allows
from workers.gateway.api.errors import described
from workers.gateway.bodies import RefusedError

if TYPE_CHECKING:
    from tasks.tokens.models import AccessToken
    from workers.gateway.api.signing import TokenCheck

ONE: Final = "say one of `id`, `token`, `subject` or `all`"

router = APIRouter(prefix="/revocations", tags=["tokens"])


class RevocationWish(BaseModel):
    """Which tokens to refuse from now on, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"subject": "ci", "comment": "a build log showed its token"}]}
    )

    id: Annotated[str, Field(min_length=1, max_length=MOST_ID)] | None = Field(None, description="The token's `jti`.")
    token: Annotated[str, Field(min_length=1, max_length=MOST_BYTES)] | None = Field(
        None, description="The token itself, in place of its id."
    )
    subject: Annotated[str, Field(min_length=1, max_length=MOST_SUBJECT)] | None = Field(
        None, description="Everything issued to it up to now."
    )
    all: bool = Field(default=False, description="Everything issued up to now, whoever holds it.")
    comment: str = Field(min_length=1, max_length=1000, description="Why; stands in the list.")

    @model_validator(mode="after")
    def _one_is_meant(self) -> "RevocationWish":
        if sum((self.id is not None, self.token is not None, self.subject is not None, self.all)) != 1:
            raise ValueError(ONE)
        return self

    def named(self, token: "AccessToken | None") -> tuple[Kind, str]:
        """What is meant; `token` is what the token says, where one was sent."""
        if self.all:
            return ALL, ""
        if self.subject is not None:
            return "subject", self.subject
        return "token", token.id if token else self.id or ""


class RevocationAnswer(BaseModel):
    """What is revoked, the newest first."""

    revocations: list[Revocation]


@router.get(
    "",
    operation_id="listRevocations",
    summary="Which tokens are revoked",
    responses=described(),
    dependencies=[allows("tokens:read")],
)
def list_all(runtime: Wired) -> RevocationAnswer:
    """Those whose tokens have all expired are forgotten."""
    return RevocationAnswer(revocations=sorted(runtime.revocations.list(), key=lambda one: one.at, reverse=True))


@router.post(
    "",
    status_code=201,
    operation_id="revokeTokens",
    summary="Refuse tokens from now on",
    responses=described(409),
    dependencies=[allows("tokens:revoke")],
)
def revoke(wish: RevocationWish, runtime: Wired, holder: Holder, request: Request) -> Revocation:
    """In force in every gateway within two seconds. It cannot be taken back: issue new tokens."""
    check: TokenCheck = request.app.state.tokens
    try:
        token = check.read(wish.token) if wish.token is not None else None
    except RefusedTokenError as error:
        raise RefusedError(400, [f"{error} (nothing is revoked: such a token is not taken anyway)"]) from None
    kind, of = wish.named(token)
    if kind == "token" and not of:
        raise RefusedError(400, ["the token has no id (jti); revoke its subject instead"])
    try:
        return runtime.revocations.revoke(kind, of, by=holder.subject, comment=wish.comment, token=token)
    except PermanentError as error:
        raise RefusedError(409, [str(error)]) from None
