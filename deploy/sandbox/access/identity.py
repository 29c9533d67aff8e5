from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from deploy.sandbox.access.credentials import NO_SCOPE
from deploy.sandbox.access.scopes import scope_of
from deploy.sandbox.call import Answer, Call, Outcome, to_json
from deploy.sandbox.endpoint import Endpoint
from deploy.sandbox.routes import TABLES

if TYPE_CHECKING:
    from deploy.sandbox.world import World

PATH = "/oauth/token"
FORM = "application/x-www-form-urlencoded"
ACCOUNT = re.compile(r"as_account-(us|eu)\.[a-z0-9-]+")
KNOWN = frozenset(scope_of(method, path) for table in TABLES for method, path in table)


class Token(Endpoint):
    """POST /oauth/token of PagerDuty's identity host: an app's client credentials for an access token."""

    methods = ("POST",)

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, call: Call) -> Answer:
        """The token with the scopes it has: those nobody knows, or the app may not have, are silently missing."""
        if not call.header(b"content-type").startswith(FORM):
            return _refused(400, "invalid_request", f"The body must be {FORM}")
        form = {name: values[0] for name, values in parse_qs(call.body.decode("latin-1")).items()}
        if form.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "The sandbox knows client_credentials alone")
        credentials = self._world.account.credentials
        client = credentials.client(form.get("client_id", ""), form.get("client_secret", ""))
        if client is None:
            return _refused(401, "invalid_client", "Client authentication failed")
        asked = form.get("scope", "").split()
        account = next((found for one in asked if (found := ACCOUNT.fullmatch(one))), None)
        if account is None:
            return _refused(400, "invalid_request", "Invalid scope: as_account-{region}.{subdomain} is missing")
        grant = credentials.grant(client, account[1], KNOWN.intersection(asked), self._world.clock.now())
        scopes = sorted(grant.caller.scopes or ()) or [NO_SCOPE]
        body = {
            "access_token": grant.token,
            "scope": " ".join([account[0], *scopes]),
            "token_type": "bearer",
            "expires_in": grant.expires_in,
        }
        return Answer(200, to_json(body), Outcome.READ)


def _refused(status: int, error: str, description: str) -> Answer:
    return Answer(status, to_json({"error": error, "error_description": description}), Outcome.INVALID)
