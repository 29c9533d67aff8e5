import itertools
import json
import re
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from config.access import Access
from tasks.tokens.destructive import ACT_SCOPES
from tasks.tokens.identities import service_actor
from tasks.tokens.revocation import Revocation, RevocationList
from tasks.tokens.scopes import ROLES, SCOPES, scopes_of
from tasks.tokens.service import AccessTokens, NoSecretError, RefusedTokenError, TokenRules, key_id
from tasks.utils.actor import Actor
from tasks.utils.error_handler import DeniedError, PermanentError
from workers.cli.token_commands import Role

SECRET = "the secret of now, 32 bytes or more"
FORMER = "the secret of then, 32 bytes or more"
HOUR = timedelta(hours=1)


def tokens(*secrets: str, audience: str = "tocsin", longest: timedelta = 24 * HOUR) -> AccessTokens:
    return AccessTokens(TokenRules(secrets, issuer="tocsin", audience=audience, max_lifetime=longest))


def test_a_token_says_who_its_holder_is_and_what_it_allows() -> None:
    said = tokens(SECRET).check(tokens(SECRET).issue("anna", ["silences:write", "alerts:read"], HOUR))

    assert said.subject == "anna"
    assert said.scopes == ["alerts:read", "silences:write"]
    assert said.expires_at - said.issued_at == HOUR
    assert abs(said.issued_at - datetime.now(UTC)) < timedelta(seconds=10)


def test_after_a_rotation_the_old_tokens_are_taken_until_their_secret_is_removed() -> None:
    old = tokens(FORMER).issue("anna", ["alerts:read"], HOUR)

    assert tokens(SECRET, FORMER).check(old).subject == "anna"
    with pytest.raises(RefusedTokenError, match="names no key"):
        tokens(SECRET).check(old)


def test_new_tokens_are_signed_with_the_new_secret() -> None:
    header = tokens(SECRET, FORMER).issue("anna", [], HOUR).partition(".")[0]

    assert json.loads(urlsafe_b64decode(header + "==")) == {"alg": "HS256", "kid": key_id(SECRET), "typ": "JWT"}


def test_two_installations_with_one_secret_tell_their_tokens_apart_by_audience() -> None:
    other = tokens(SECRET, audience="staging").issue("anna", [], HOUR)

    with pytest.raises(RefusedTokenError, match="another audience"):
        tokens(SECRET).check(other)


def test_a_limit_that_was_lowered_counts_for_tokens_that_are_out_already() -> None:
    long_lived = tokens(SECRET).issue("anna", [], 12 * HOUR)

    with pytest.raises(RefusedTokenError, match="longer than 1h"):
        tokens(SECRET, longest=HOUR).check(long_lived)


@pytest.mark.parametrize("lifetime", [timedelta(0), -HOUR, 25 * HOUR])
def test_no_token_is_issued_for_longer_than_allowed_or_for_no_time(lifetime: timedelta) -> None:
    with pytest.raises(PermanentError, match="lives for up to 1d"):
        tokens(SECRET).issue("anna", [], lifetime)


@pytest.mark.parametrize("subject", ["", "  ", "a\nb", "\x1b[31m", "x" * 201])
def test_a_subject_must_be_a_name_that_can_stand_in_a_log(subject: str) -> None:
    with pytest.raises(PermanentError, match="a subject is a name"):
        tokens(SECRET).issue(subject, [], HOUR)


@pytest.mark.parametrize(
    ("secrets", "why"), [((), "is not set"), (("short",), "shorter"), ((SECRET, "short"), "shorter")]
)
def test_without_a_fit_secret_there_are_no_tokens(secrets: tuple[str, ...], why: str) -> None:
    with pytest.raises(NoSecretError, match=why) as refusal:
        tokens(*secrets)

    assert "tocsin config keygen" in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_each_role_may_do_what_the_one_below_may_and_more() -> None:
    ladder = [ROLES[name] for name in ("viewer", "responder", "operator", "admin")]

    assert all(lower < higher for lower, higher in itertools.pairwise(ladder))
    assert ladder[-1] == set(SCOPES)
    assert get_args(Role) == tuple(ROLES)


def test_a_viewer_changes_nothing() -> None:
    assert all(scope.endswith(":read") for scope in ROLES["viewer"])


def test_scopes_may_be_named_one_by_one_and_unknown_ones_are_all_told() -> None:
    assert scopes_of("viewer", ["alerts:write"]) == ROLES["viewer"] | {"alerts:write"}
    assert scopes_of(None, ["alerts:write"]) == {"alerts:write"}
    with pytest.raises(PermanentError, match=r"'alerts:all'.*'root'") as refusal:
        scopes_of("god", ["alerts:all", "root"])
    assert "no role 'god'" in str(refusal.value)


def test_the_documentation_has_every_scope_and_who_holds_it() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z-]+:[a-z]+)` \| ([^|]+) \|(.*)\|$", page, re.MULTILINE)

    told = {scope: (about.strip(), ["✓" in cell for cell in cells.split("|")]) for scope, about, cells in rows}

    assert told == {scope: (about, [scope in ROLES[role] for role in ROLES]) for scope, about in SCOPES.items()}


def test_a_service_identity_lets_its_program_do_what_its_scopes_name() -> None:
    said = tokens(SECRET).check(tokens(SECRET).issue("nightly", ["backups:prune"], HOUR, "service"))

    assert service_actor(said, RevocationList(), "backups:prune", "ci") == Actor("service", "nightly", "ci")
    with pytest.raises(DeniedError, match="lacks the scope backups:restore"):
        service_actor(said, RevocationList(), "backups:restore", "ci")


def test_an_access_token_is_no_identity_and_a_revoked_identity_is_none() -> None:
    access = tokens(SECRET).check(tokens(SECRET).issue("anna", ["dead-letters:drop"], HOUR))
    service = tokens(SECRET).check(tokens(SECRET).issue("nightly", ["dead-letters:drop"], HOUR, "service"))
    gone = Revocation(kind="token", of=service.id, at=service.issued_at, forgotten_at=service.expires_at, by="ops")

    with pytest.raises(DeniedError, match="no service identity"):
        service_actor(access, RevocationList(), "dead-letters:drop", "ci")
    with pytest.raises(DeniedError, match="has been revoked"):
        service_actor(service, RevocationList([gone]), "dead-letters:drop", "ci")


def test_scopes_of_destructive_acts_are_for_service_identities_only() -> None:
    assert scopes_of(None, ["backups:restore"], acts=True) == {"backups:restore"}
    with pytest.raises(PermanentError, match="no scope 'backups:restore'"):
        scopes_of("admin", ["backups:restore"])


def test_what_schedules_may_do_by_default_are_destructive_acts_and_restoring_is_none_of_them() -> None:
    allowed = set(Access().schedules)

    assert allowed < set(ACT_SCOPES)
    assert "backups:restore" not in allowed


def test_the_documentation_has_every_scope_of_a_destructive_act() -> None:
    page = (Path(__file__).parents[2] / "docs" / "access.md").read_text("utf-8")

    told = re.findall(r"^\| `([a-z-]+:[a-z]+)` \|", page, re.MULTILINE)

    assert told == sorted(set(told), key=list(ACT_SCOPES).index)
    assert set(told) == set(ACT_SCOPES)
