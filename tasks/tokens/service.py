"""Issues and checks the access tokens of the HTTP API: JSON Web Tokens signed with HS256, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, get_args
from uuid import uuid4

import jwt

from config.values import format_duration
from tasks.tokens.models import AccessToken, TokenKind
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable

ALGORITHM: Final = "HS256"
SHORTEST_SECRET: Final = 32  # bytes; RFC 7518, 3.2
MOST_BYTES: Final = 8192
MOST_SUBJECT: Final = 200
MOST_ID: Final = 100
REQUIRED: Final = ("exp", "iat", "aud", "iss", "sub")
LEEWAY: Final = timedelta(seconds=10)
MEND: Final = "make one with `tocsin config keygen` and set it as JWT_SECRET, for the gateway and for your shell"


class NoSecretError(PermanentError):
    """No token can be issued or checked: there is no fit secret."""


class RefusedTokenError(PermanentError):
    """A token that is not good; the text says why and never repeats it."""


@dataclass(frozen=True)
class TokenRules:
    """The first secret signs, all of them verify; see the settings section `api`."""

    secrets: tuple[str, ...]
    issuer: str
    audience: str
    max_lifetime: timedelta


class AccessTokens:
    """Tokens of one installation, checked by themselves; whether one has been revoked, `Revocations` tells."""

    def __init__(self, rules: TokenRules) -> None:
        self._rules = rules
        self._keys = {key_id(secret): secret.encode() for secret in rules.secrets}
        if not self._keys:
            raise NoSecretError(f"the API is off, because security.jwt_secret is not set; {MEND}")
        if any(len(key) < SHORTEST_SECRET for key in self._keys.values()):
            raise NoSecretError(f"a JWT secret is shorter than {SHORTEST_SECRET} bytes; {MEND}")

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The names (`kid`) of all keys; the first signs, tokens of the others are still taken."""
        return tuple(self._keys)

    def issue(self, subject: str, scopes: Iterable[str], lifetime: timedelta, kind: TokenKind = "access") -> str:
        """A token for `subject`; PermanentError if the subject or the lifetime will not do."""
        if not is_fit_subject(subject):
            raise PermanentError(f"a subject is a name of 1 to {MOST_SUBJECT} printable characters")
        longest = self._rules.max_lifetime
        if not timedelta(0) < lifetime <= longest:
            fault = f"a token lives for up to {format_duration(longest)}"
            raise PermanentError(f"{fault}; ask for that, or raise api.max_token_lifetime")
        now = datetime.now(UTC)
        claims = {
            "iss": self._rules.issuer,
            "aud": self._rules.audience,
            "sub": subject,
            "iat": now,
            "exp": now + lifetime,
            "jti": uuid4().hex,
            "scope": " ".join(sorted(scopes)),
            **({} if kind == "access" else {"kind": kind}),
        }
        kid, key = next(iter(self._keys.items()))
        return jwt.encode(claims, key, ALGORITHM, headers={"kid": kid})

    def check(self, token: str) -> AccessToken:
        """What a good token says; RefusedTokenError says why another is not good."""
        if len(token) > MOST_BYTES:
            raise RefusedTokenError(f"the token is longer than {MOST_BYTES} bytes")
        try:
            key = self._keys.get(str(jwt.get_unverified_header(token).get("kid", "")))
            if key is None:
                raise RefusedTokenError("the token names no key (kid) that is in use here; get a new one")
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._rules.audience,
                issuer=self._rules.issuer,
                leeway=LEEWAY,
                options={"require": list(REQUIRED)},
            )
            return self._said(claims)
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise RefusedTokenError(_in_words(error)) from None

    def _said(self, claims: dict[str, Any]) -> AccessToken:
        issued, expires = int(claims["iat"]), int(claims["exp"])
        if expires - issued > self._rules.max_lifetime.total_seconds():
            raise RefusedTokenError(
                f"the token is made out for longer than {format_duration(self._rules.max_lifetime)}"
            )
        if not is_fit_subject(claims["sub"]):
            raise RefusedTokenError("the token's subject (sub) is no name")
        scope = claims.get("scope", "")
        if not isinstance(scope, str):
            raise RefusedTokenError("the token's scope is no text of words parted by blanks")
        return AccessToken(
            id=self._id(claims),
            kind=self._kind(claims),
            subject=claims["sub"],
            scopes=sorted(set(scope.split())),
            issued_at=datetime.fromtimestamp(issued, UTC),
            expires_at=datetime.fromtimestamp(expires, UTC),
        )

    @staticmethod
    def _id(claims: dict[str, Any]) -> str:
        found = claims.get("jti", "")
        if not isinstance(found, str) or len(found) > MOST_ID:
            raise RefusedTokenError(f"the token's id (jti) is no text of up to {MOST_ID} characters")
        return found

    @staticmethod
    def _kind(claims: dict[str, Any]) -> TokenKind:
        found = claims.get("kind", "access")
        if found not in get_args(TokenKind):
            raise RefusedTokenError("the token is of a kind that is not known here")
        return found  # type: ignore[no-any-return]


def key_id(secret: str) -> str:
    """The name a secret goes by in the header `kid`; tells nothing that the signature beside it does not."""
    return hashlib.sha256(b"tocsin access token\0" + secret.encode()).hexdigest()[:16]


def is_fit_subject(subject: str) -> bool:
    """Whether it can stand as an author's name in lists and logs."""
    return bool(subject.strip()) and len(subject) <= MOST_SUBJECT and subject.isprintable()


_WORDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (jwt.ExpiredSignatureError, "the token has expired; get a new one"),
    (jwt.ImmatureSignatureError, "the token is not valid yet; do the clocks agree?"),
    (jwt.InvalidAudienceError, "the token is for another audience (aud); get one for this installation"),
    (jwt.InvalidIssuerError, "the token comes from another issuer (iss); get one from this installation"),
    (jwt.InvalidAlgorithmError, f"the token is not signed with {ALGORITHM}, and nothing else is taken"),
    (jwt.InvalidSignatureError, "the token's signature does not fit its content"),
    (jwt.DecodeError, "this is no token: it has not the form of a JWT"),
)


def _in_words(error: Exception) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"the token lacks the claim {error.claim!r}"
    return next(
        (words for kind, words in _WORDS if isinstance(error, kind)),
        "the token's header or claims are not as they should be",
    )
