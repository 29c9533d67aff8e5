"""What is revoked stays revoked, by the one clock, bounded, and past a server that loses everything."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.tokens.models import AccessToken
from tasks.tokens.revocation import Revocation, RevocationList
from tasks.tokens.revocations import FILE, RevocationCopy, Revocations, put_arguments
from tasks.tokens.service import RefusedTokenError
from tasks.utils.error_handler import PermanentError, TransientError
from tasks.utils.scripts import Scripts
from tests.integration.gateway_kit import settings
from workers.gateway.api.revoked import RevocationWatch
from workers.gateway.server import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

LONGEST = timedelta(days=30)
NOWHERE = "redis://127.0.0.1:1/0"


def token(subject: str = "anna", jti: str = "t1", age: timedelta = timedelta(minutes=1)) -> AccessToken:
    now = datetime.now(UTC)
    return AccessToken(
        id=jti, subject=subject, scopes=[], issued_at=now - age, expires_at=now - age + timedelta(hours=1)
    )


@pytest.fixture
def copy(tmp_path: Path) -> RevocationCopy:
    return RevocationCopy(tmp_path)


@pytest.fixture
def revocations(client: Any, keys: Keys, copy: RevocationCopy) -> Revocations:
    return Revocations(client, keys, copy, LONGEST)


@asynccontextmanager
async def watching(url: str, keys: Keys, folder: Path) -> AsyncIterator[RevocationWatch]:
    """A gateway's view, as fresh as can be."""
    redis = connect(settings(url, folder))
    yield RevocationWatch(redis, keys, RevocationCopy(folder), fresh=0.0)
    await redis.aclose()


def refusal(url: str, keys: Keys, folder: Path, one: AccessToken) -> str:
    """What a gateway that has just started says to a token; nothing if it is taken."""

    async def ask() -> str:
        async with watching(url, keys, folder) as watch:
            try:
                await watch.check(one)
            except RefusedTokenError as error:
                return str(error)
            return ""

    return asyncio.run(ask())


def test_one_token_is_revoked_by_its_id_and_no_other(revocations: Revocations) -> None:
    revocations.revoke("token", "t1", by="ops", comment="leaked", token=token())

    found = revocations.list()

    assert found.of(token()) is not None
    assert found.of(token(jti="t2")) is None
    assert found.of(token(jti="")) is None


def test_a_subject_is_revoked_up_to_now_and_what_is_issued_later_is_good(revocations: Revocations) -> None:
    revocations.revoke("subject", "anna", by="ops")

    found = revocations.list()

    assert found.of(token("anna")) is not None
    assert found.of(token("ben")) is None
    assert found.of(token("anna", age=-timedelta(seconds=30))) is None


def test_everything_issued_before_is_revoked_together(revocations: Revocations) -> None:
    revocations.revoke("all", "", by="ops")

    assert revocations.list().of(token("anna")) is not None
    assert revocations.list().of(token("ben", jti="")) is not None
    assert revocations.list().of(token(age=-timedelta(seconds=30))) is None


def test_a_clock_that_runs_ahead_by_seconds_saves_no_token_from_being_revoked(revocations: Revocations) -> None:
    revocations.revoke("subject", "anna", by="ops")

    assert revocations.list().of(token("anna", age=-timedelta(seconds=5))) is not None


def test_a_revocation_is_forgotten_once_its_tokens_have_expired_by_the_one_clock(
    revocations: Revocations, clock: MovableClock, client: Any, keys: Keys
) -> None:
    revocations.revoke("token", "t1", by="ops", token=token())
    revocations.revoke("subject", "anna", by="ops")

    clock.advance(timedelta(hours=2))
    assert [one.name for one in revocations.list()] == ["subject:anna"]
    clock.advance(LONGEST)
    assert list(revocations.list()) == []
    revocations.revoke("subject", "ben", by="ops")
    assert client.hkeys(keys.revocations) == ["subject:ben"]
    assert client.hlen(keys.revocations_reach) == client.zcard(keys.revocations_until) == 1


def test_of_two_for_one_subject_the_later_one_counts_whichever_comes_last(
    revocations: Revocations, clock: MovableClock, client: Any, keys: Keys
) -> None:
    first = revocations.revoke("subject", "anna", by="ops")
    clock.advance(timedelta(minutes=5))
    second = revocations.revoke("subject", "anna", by="ops")

    Scripts(client, keys).run("revocation_put", *put_arguments(first))

    assert [one.issued_until for one in revocations.list()] == [second.issued_until]


def test_the_list_is_bounded_and_says_what_else_helps(client: Any, keys: Keys, copy: RevocationCopy) -> None:
    revocations = Revocations(client, keys, copy, LONGEST, most=3)
    for number in range(3):
        revocations.revoke("token", f"t{number}", by="ops")

    revocations.revoke("token", "t0", by="ops")
    with pytest.raises(PermanentError, match=r"3 revocations are in force.*revoke by subject"):
        revocations.revoke("token", "t3", by="ops")


def test_what_the_server_lost_is_put_back_by_whoever_knew_it(
    revocations: Revocations, server: Server, client: Any, keys: Keys, tmp_path: Path
) -> None:
    revocations.revoke("token", "t1", by="ops", token=token())
    client.flushall()

    assert "revoked" in refusal(server.url, keys, tmp_path, token())
    assert client.hkeys(keys.revocations) == ["token:t1"]
    client.flushall()
    assert [one.name for one in revocations.list()] == ["token:t1"]


def test_a_gateway_that_runs_notices_the_loss_and_puts_its_list_back(
    revocations: Revocations, server: Server, client: Any, keys: Keys, tmp_path: Path
) -> None:
    async def life() -> None:
        async with watching(server.url, keys, tmp_path / "gateway") as watch:
            revocations.revoke("subject", "anna", by="ops")
            with pytest.raises(RefusedTokenError, match="all tokens of this subject"):
                await watch.check(token())
            client.flushall()
            with pytest.raises(RefusedTokenError, match="all tokens of this subject"):
                await watch.check(token())
            await watch.check(token("ben"))

    asyncio.run(life())
    assert client.hkeys(keys.revocations) == ["subject:anna"]


def test_while_redis_is_away_what_was_known_last_counts(revocations: Revocations, keys: Keys, tmp_path: Path) -> None:
    revocations.revoke("token", "t1", by="ops", token=token())

    assert "revoked" in refusal(NOWHERE, keys, tmp_path, token())
    assert refusal(NOWHERE, keys, tmp_path, token(jti="t2")) == ""


def test_where_nothing_was_ever_known_no_token_is_taken_while_redis_is_away(keys: Keys, tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="never known which tokens are revoked"):
        refusal(NOWHERE, keys, tmp_path, token())


def test_a_copy_that_is_damaged_counts_as_none(
    revocations: Revocations, server: Server, keys: Keys, tmp_path: Path
) -> None:
    revocations.revoke("token", "t1", by="ops", token=token())
    (tmp_path / FILE).write_text('[{"kind": "tok')

    assert "revoked" in refusal(server.url, keys, tmp_path, token())
    assert json.loads((tmp_path / FILE).read_text())[0]["of"] == "t1"
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_one_that_cannot_be_read_puts_no_other_out_of_force(
    revocations: Revocations, server: Server, client: Any, keys: Keys, tmp_path: Path
) -> None:
    revocations.revoke("token", "t1", by="ops", token=token())
    client.hset(keys.revocations, "token:t2", "{")
    client.delete(keys.revocations_version)

    assert "revoked" in refusal(server.url, keys, tmp_path / "new", token())


def test_a_thousand_revocations_cost_a_check_next_to_nothing() -> None:
    now = datetime.now(UTC)
    many = [
        Revocation(kind="token", of=f"t{number}", at=now, forgotten_at=now + LONGEST, by="ops")
        for number in range(1000)
    ]

    found = RevocationList(many)

    assert len(found) == 1000
    assert found.of(token(jti="t999")) is not None
    assert found.of(token(jti="x")) is None
