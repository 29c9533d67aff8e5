"""Who asks, what the token allows, and the services an endpoint uses."""

from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from tasks.runtime import Runtime
from tasks.tokens.models import AccessToken
from workers.gateway.api.acts import SCOPE as CALL
from workers.gateway.api.acts import Call
from workers.gateway.api.guard import HOLDER, REALM
from workers.gateway.bodies import RefusedError

TOKEN = HTTPBearer(
    scheme_name="accessToken",
    bearerFormat="JWT",
    description="`tocsin tokens issue --role viewer --subject NAME` prints one. What each operation needs stands beside it.",
    auto_error=False,  # the guard has looked at it
)


def allows(scope: str) -> Any:
    """A dependency: the holder of the token must have this scope, 403 names it otherwise."""
    return Security(_check, scopes=[scope])


async def _holder(request: Request) -> AccessToken:
    holder: AccessToken = request.scope[HOLDER]
    return holder


Holder = Annotated[AccessToken, Depends(_holder)]


async def _check(
    request: Request,
    holder: Holder,
    needed: SecurityScopes,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(TOKEN)],
) -> None:
    call: Call = request.scope[CALL]
    call.known(holder, request.scope["route"])
    missing = " ".join(scope for scope in needed.scopes if scope not in holder.scopes)
    if missing:
        how = f"the token lacks the scope {missing}; get one that has it: tocsin tokens issue --subject NAME --scope {missing}"
        header = f'{REALM}, error="insufficient_scope", scope="{missing}"'
        raise RefusedError(403, [how], WWW_Authenticate=header)
    await call.allowed(request.scope)


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


Wired = Annotated[Runtime, Depends(_runtime)]
