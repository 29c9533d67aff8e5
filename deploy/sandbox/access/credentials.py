from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.sandbox.access.documents import OAuthClientDocument, TokenDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deploy.sandbox.access.documents import Region

KEY = re.compile(r"\S{20}")
BEARER = "Bearer "
NO_SCOPE = "openid"
PREFIXES = {"us": "pdus+_", "eu": "pdeu+_"}
KEPT_GRANTS = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: `bucket` is whose calls count together; `scopes` None = whatever there is."""

    bucket: str
    user: str | None = None
    is_read_only: bool = False
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token that was given out, for a region and until a time of the sandbox's clock."""

    token: str
    caller: Caller
    region: str
    expires_in: int
    expires_at: float


class Credentials:
    """Who may call. Where an account lists no keys any 20 characters are one, and so with apps and bearer tokens."""

    def __init__(
        self, region: Region, tokens: Sequence[str | TokenDocument], clients: Iterable[OAuthClientDocument]
    ) -> None:
        self._region: Region = region
        documents = [TokenDocument(token=one) if isinstance(one, str) else one for one in tokens]
        self._keys = {one.token: one for one in documents}
        self._clients = {one.client_id: one for one in clients}
        self._grants: dict[str, Grant] = {}

    def caller(self, authorization: str, now: float) -> Caller | None:
        """Whose the header Authorization is; None where nobody is let in with it."""
        if authorization.startswith(BEARER):
            return self._bearer(authorization.removeprefix(BEARER).strip(), now)
        return self._key(authorization.removeprefix("Token token=").strip('"'))

    def client(self, client_id: str, secret: str) -> OAuthClientDocument | None:
        """The app of these credentials."""
        if not self._clients and client_id and secret:
            return OAuthClientDocument(client_id=client_id, client_secret=secret)
        found = self._clients.get(client_id)
        is_right = found is not None and secrets.compare_digest(found.client_secret.encode(), secret.encode())
        return found if is_right else None

    def grant(self, client: OAuthClientDocument, region: str, scopes: Iterable[str], now: float) -> Grant:
        """A new token of an app: for these scopes, as far as it may have them."""
        allowed = frozenset(one for one in scopes if client.scopes is None or one in client.scopes)
        token = PREFIXES.get(region, PREFIXES["us"]) + secrets.token_hex(24)
        caller = Caller(f"app {client.client_id}", scopes=allowed)
        grant = Grant(token, caller, region, client.expires_in, now + client.expires_in)
        self._grants[token] = grant
        if len(self._grants) > KEPT_GRANTS:
            del self._grants[next(iter(self._grants))]
        return grant

    def revoke(self) -> int:
        """Let no token that was given out be valid any more; the answer is how many there were."""
        count = len(self._grants)
        self._grants = {name: Grant(name, one.caller, one.region, 0, 0.0) for name, one in self._grants.items()}
        return count

    def _bearer(self, token: str, now: float) -> Caller | None:
        grant = self._grants.get(token)
        if grant is not None:
            return grant.caller if grant.region == self._region and now < grant.expires_at else None
        is_elsewhere = any(token.startswith(PREFIXES[one]) for one in PREFIXES if one != self._region)
        return None if self._clients or is_elsewhere or not token else Caller(token)

    def _key(self, key: str) -> Caller | None:
        found = self._keys.get(key)
        if found is None:
            return Caller(key) if not self._keys and KEY.fullmatch(key) else None
        if found.region not in (None, self._region):
            return None
        bucket = key if found.user is None else f"user {found.user}"
        return Caller(bucket, found.user, found.read_only)
