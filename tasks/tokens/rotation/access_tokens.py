"""The access tokens of an OAuth app as all processes have them, and a fresh one for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.tokens.rotation.models import AccessToken
from tasks.tokens.rotation.progress import words
from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.rest.token_board import TokenState

SHOWN: Final = 8  # of a client id
MEND: Final = "look at pagerduty.oauth and the way to its token_url; then `tocsin tokens rotate oauth` gives every process a fresh one"


def shortened(app: str) -> str:
    """A client id as people are shown it."""
    return app if len(app) <= SHOWN else f"{app[:SHOWN]}…"


def access_token(app: str, states: Sequence[TokenState], now_ms: int) -> AccessToken:
    """What the processes say together."""
    alive = [one for one in states if one.app == app and one.ends > now_ms]
    failed = max((one for one in states if one.app == app and one.failed), key=lambda one: one.failed, default=None)

    def since(at: int) -> float:
        return (now_ms - at) / 1000

    return AccessToken(
        app=shortened(app),
        processes=len(alive),
        scopes=sorted(set.intersection(*(set(one.scopes) for one in alive))) if alive else [],
        missing=sorted({scope for one in alive for scope in one.missing}),
        ends_in_seconds=-since(min(one.ends for one in alive)) if alive else None,
        fetched_seconds=since(max(one.fetched for one in alive)) if alive else None,
        oldest_seconds=since(min(one.fetched for one in alive)) if alive else None,
        error=failed.error if failed else "",
        error_seconds=since(failed.failed) if failed else None,
        failing=sum(one.fails for one in states if one.app == app),
    )


def access_line(token: AccessToken) -> Line:
    """Whether processes get their tokens, as a line of health."""
    if token.failing:
        return Line("tokens.access", "warn", access_words(token), "every process gets its token", MEND)
    return Line("tokens.access", "ok", access_words(token), "every process gets its token")


def access_words(token: AccessToken) -> str:
    """In one line for people."""
    if token.ends_in_seconds is None:
        told = ["no process has one; it is fetched with the first call"]
    else:
        told = [
            f"{token.processes} in use, the first ends in {_span(token.ends_in_seconds)}",
            f"last fetched {_span(token.fetched_seconds)} ago",
            f"scopes {' '.join(token.scopes) or 'none'}",
        ]
    if token.missing:
        told.append(f"not granted: {' '.join(token.missing)}")
    if token.error:
        how = f"{token.failing} get none now" if token.failing else "over by now"
        told.append(f"last error {_span(token.error_seconds)} ago ({how}): {token.error}")
    return "; ".join(told)


def _span(seconds: float | None) -> str:
    return words(round((seconds or 0) * 1000))
