"""At the shell, in production: nothing is destroyed without a person who is there, or an identity that may."""

from __future__ import annotations

import json
import re
from base64 import b32decode
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import load
from deploy.local.embedded import start_server
from tasks.runtime import Runtime
from tasks.security import totp
from tasks.tokens.service import AccessTokens
from tasks.tokens.wiring import token_rules
from tasks.utils.clock import MovableClock
from tests.integration.terminal import Session, at_terminal
from tests.program import tocsin
from workers.cli.output import ExitCode

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

ASKED = "Code, or recovery code: "
FIRST = "The code it shows: "
DROP = ("notifications", "drop", "m:0", "--comment", "gone")
SECRET = "a secret of 32 characters or more"


class World:
    """One installation where acts are guarded, and a person with a phone."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.runtime = Runtime(load(environ=environment))
        self.clock = MovableClock(self.runtime.client, self.runtime.keys)
        self.secrets: dict[str, bytes] = {}

    def enrolled(self, person: str) -> list[str]:
        """Enrol without the shell; the recovery codes."""
        factors = self.runtime.second_factors
        enrolment = factors.begin(person)
        self.secrets[person] = enrolment.secret
        codes = factors.enrol(enrolment, self.code(person))
        self.clock.advance(totp.STEP)
        return codes

    def code(self, person: str = "anna") -> str:
        return totp.code_at(self.secrets[person], totp.step_at(self.clock.now()))

    def shell(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Where nobody sits: a job of cron or CI."""
        return tocsin(*words, env={**self.environment, **more})

    def terminal(self, *words: str, answers: Any = None, person: str = "anna") -> Session:
        return at_terminal(*words, answers=answers, env={**self.environment, "TOCSIN_PERSON": person})

    def identity(self, *scopes: str, lifetime: timedelta = timedelta(hours=1), kind: Any = "service") -> str:
        return AccessTokens(token_rules(self.runtime.settings)).issue("nightly", scopes, lifetime, kind)

    def buried(self) -> bool:
        return bool(self.runtime.client.zscore(self.runtime.keys.dead, "m:0"))

    def acts(self, action: str) -> list[dict[str, Any]]:
        """What is on record of an action."""
        stream = self.runtime.client.xrange(self.runtime.keys.of("acts").ledger)
        return [fields for _, fields in stream if action in json.dumps(fields)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("authority")
    with start_server(folder / "redis", persist=False) as server:
        world = World(
            {
                "REDIS_URL": server.url,
                "TOCSIN_STATE_DIR": str(folder),
                "ENCRYPTION_KEY": "A" * 43 + "=",
                "JWT_SECRET": SECRET,
                "TOCSIN_ACCESS__ENFORCE": "true",
            }
        )
        yield world
        world.runtime.client.close()


@pytest.fixture
def world(made: World) -> World:
    made.runtime.client.flushall()
    for kept in (Path(made.environment["TOCSIN_STATE_DIR"]) / "security").glob("*"):
        kept.unlink()
    made.runtime.alerts.bury("m", [{"service": "checkout", "event_action": "trigger", "dedup_key": "d"}], "poison", "x")
    return made


def test_a_destructive_verb_goes_on_with_a_code_of_the_phone(world: World) -> None:
    world.enrolled("anna")

    done = world.terminal(*DROP, answers={ASKED: [world.code()]})

    assert (done.code, world.buried()) == (ExitCode.OK, False)
    assert world.code() not in done.screen


def test_a_wrong_code_three_times_ends_it_and_every_try_is_on_record(world: World) -> None:
    world.enrolled("anna")
    wrong = "000000" if world.code() != "000000" else "000001"

    refused = world.terminal(*DROP, answers={ASKED: [wrong] * 3})

    assert refused.code == ExitCode.FAILED
    assert world.buried()
    assert "not a code of now" in refused.screen
    assert len(world.acts("security.log_in")) == 3
    assert "denied" in str(world.acts("notifications.drop"))


def test_a_code_seen_over_the_shoulder_is_of_no_use(world: World) -> None:
    world.enrolled("anna")
    code = world.code()
    world.runtime.second_factors.check("anna", code)

    refused = world.terminal(*DROP, answers={ASKED: [code] * 3})

    assert "used before" in refused.screen
    assert world.buried()


def test_where_nobody_can_be_asked_it_needs_confirmation(world: World) -> None:
    world.enrolled("anna")

    refused = world.shell(*DROP, TOCSIN_PERSON="anna", TOCSIN_SECOND_FACTOR=world.code())  # no such variable

    assert refused.returncode == ExitCode.NEEDS_CONFIRMATION
    assert "TOCSIN_IDENTITY_FILE" in refused.stderr
    assert world.buried()
    assert world.acts("security.log_in")


def test_who_has_no_second_factor_hears_how_to_get_one(world: World) -> None:
    refused = world.terminal(*DROP)

    assert refused.code == ExitCode.NEEDS_CONFIRMATION
    assert "tocsin security second-factor enrol" in refused.screen


def test_an_identity_that_may_not_or_is_revoked_is_refused_and_that_is_on_record(world: World) -> None:
    other, right = world.identity("backups:prune"), world.identity("dead-letters:drop")
    refused = world.shell(*DROP, TOCSIN_IDENTITY=other)
    world.runtime.revocations.revoke("subject", "nightly", by="ops")
    revoked = world.shell(*DROP, TOCSIN_IDENTITY=right)

    assert refused.returncode == revoked.returncode == ExitCode.FAILED
    assert "lacks the scope dead-letters:drop" in refused.stderr
    assert "revoked" in revoked.stderr
    assert world.buried()
    assert len([act for act in world.acts("security.log_in") if "denied" in str(act)]) == 2


def test_a_dry_run_a_look_and_a_plain_act_need_neither(world: World) -> None:
    purge = ("notifications", "purge", "--older-than", "0s", "--comment", "x", "--dry-run")

    assert world.shell(*purge).returncode == ExitCode.OK
    assert world.shell("notifications", "replay", "m:0").returncode == ExitCode.OK


def test_enrolling_shows_the_secret_and_ten_codes_once(world: World) -> None:
    done = world.terminal("security", "second-factor", "enrol", answers={FIRST: [_typed(world)]})

    codes = re.findall(r"^\w{4}-\w{4}-\w{4}$", done.screen, re.MULTILINE)
    assert done.code == ExitCode.OK
    assert "█" in done.screen
    assert len(codes) == 10
    shown = json.loads(world.shell("security", "second-factor", "status", "--json").stdout)
    assert [(one["person"], one["recovery_codes"]) for one in shown] == [("anna", 10)]
    assert world.runtime.second_factors.check("anna", codes[0]) == "recovery code"


def _typed(world: World, person: str = "anna") -> Any:
    """What somebody does who types the text under the QR code into an app."""

    def code(screen: str) -> str:
        text = re.findall(r"or type it: ([A-Z2-7 ]+) \(", screen)[-1].replace(" ", "")
        world.secrets[person] = b32decode(text)
        return world.code(person)

    return code


def test_the_second_person_is_vouched_for_by_the_first_who_may_remove_them_again(world: World) -> None:
    world.enrolled("anna")
    enrol = ("security", "second-factor", "enrol", "ben")

    alone = world.terminal(*enrol, person="ben")
    vouched = world.terminal(
        *enrol, "--vouched-by", "anna", answers={ASKED: [world.code()], FIRST: [_typed(world, "ben")]}, person="ben"
    )

    assert alone.code == ExitCode.NEEDS_CONFIRMATION
    assert "--vouched-by anna" in alone.screen
    assert vouched.code == ExitCode.OK
    assert world.runtime.second_factors.persons() == ["anna", "ben"]
    world.clock.advance(totp.STEP)
    removed = world.terminal("security", "second-factor", "remove", "ben", answers={ASKED: [world.code()]})
    assert removed.code == ExitCode.OK
    assert world.runtime.second_factors.persons() == ["anna"]


def test_nobody_enrols_or_sees_codes_where_they_would_end_in_a_file(world: World) -> None:
    refused = world.shell("security", "second-factor", "enrol")

    assert refused.returncode == ExitCode.USAGE
    assert "must not end in a file" in refused.stderr
    assert world.runtime.second_factors.persons() == []


def test_who_lost_the_phone_gets_in_with_a_recovery_code_and_makes_new_ones(world: World) -> None:
    codes = world.enrolled("anna")

    done = world.terminal("security", "second-factor", "recovery-codes", answers={ASKED: [codes[0]]})

    assert done.code == ExitCode.OK
    assert len(re.findall(r"^\w{4}-\w{4}-\w{4}$", done.screen, re.MULTILINE)) == 10
    assert world.runtime.second_factors.views()[0].recovery_codes == 10


def test_a_token_that_allows_destructive_acts_takes_a_second_factor_and_others_do_not(world: World) -> None:
    world.enrolled("anna")
    issue = ("tokens", "issue", "--service", "nightly", "--scope", "backups:prune")

    done = world.terminal(*issue, answers={ASKED: [world.code()]})
    plain = world.shell("tokens", "issue", "--subject", "ben", "--role", "viewer")
    admin = world.shell("tokens", "issue", "--subject", "ben", "--role", "admin")

    assert done.code == plain.returncode == ExitCode.OK
    assert (admin.returncode, admin.stdout) == (ExitCode.NEEDS_CONFIRMATION, "")


def test_outside_production_nobody_is_asked(world: World) -> None:
    done = world.shell(*DROP, TOCSIN_ACCESS__ENFORCE="")

    assert (done.returncode, world.buried()) == (ExitCode.OK, False)


def test_another_environment_in_one_shell_opens_no_door_to_production(world: World, tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "default.yaml").write_text(f"channels: [{{name: pager, routing_key: {'R' * 32}}}]")
    world.enrolled("anna")
    production = {"ENVIRONMENT": "production", "TOCSIN_CONFIG_DIR": str(tmp_path), "TOCSIN_ACCESS__ENFORCE": ""}

    refused = world.shell(*DROP, **production)
    token = world.identity("webhooks:delete", "dead-letters:drop")
    world.runtime.client.delete(world.runtime.keys.guarded)
    known = world.shell("notifications", "drop", "nothing", "--comment", "x", **production, TOCSIN_IDENTITY=token)
    slipped = world.shell(*DROP, TOCSIN_ACCESS__ENFORCE="", ENVIRONMENT="development", TOCSIN_PERSON="anna")

    assert refused.returncode == slipped.returncode == ExitCode.NEEDS_CONFIRMATION
    assert "there is no dead letter" in known.stderr
    assert world.buried()
