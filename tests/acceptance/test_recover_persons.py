"""Who may recover: whoever the backup knows is asked, and nobody is locked out of an empty machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.recover_site import put_right
from tests.acceptance.recovery_world import tocsin
from tests.integration.factor_kit import enrolled
from tests.integration.terminal import at_terminal
from workers.cli.output import CliError, ExitCode
from workers.cli.recovery_authority import may_recover_early
from workers.cli.recovery_walk import Walk

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.acceptance.recover_site import Site


def test_where_acts_are_guarded_a_person_whom_the_backup_knows_is_asked_for_a_code(
    site: Site, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(site.runtime.second_factors, clock)
    site.silence()
    site.back_up()
    site.lose_everything()
    monkeypatch.setenv("TOCSIN_ACCESS__ENFORCE", "true")
    monkeypatch.setenv("TOCSIN_PERSON", "anna")

    walk = Walk("latest", dry_run=False)
    walk.files()
    with pytest.raises(CliError, match="no terminal to ask") as refused:
        walk.rest(walk.settings())

    assert refused.value.code == ExitCode.NEEDS_CONFIRMATION
    assert site.silences() == 0


def test_a_person_at_a_terminal_types_where_they_are_and_a_code_and_no_bar_is_drawn_over_the_question(
    site: Site, clock: MovableClock
) -> None:
    _, codes = enrolled(site.runtime.second_factors, clock)
    site.silence()
    site.back_up()
    site.lose_everything()

    answers = {"type development: ": ["development"], "Code, or recovery code: ": ["000000", codes[0]]}
    told = at_terminal("recover", answers=answers, env={"TOCSIN_ACCESS__ENFORCE": "true", "TOCSIN_PERSON": "anna"})

    plan, _, rest = told.screen.partition("To do this in development")
    asked, _, report = rest.rpartition("Code, or recovery code: ")
    assert (told.code, site.silences()) == (0, 1), told.screen
    assert "from backup" in plan
    assert "not a code of now" in asked
    assert "\u2501" not in asked[asked.index("needs the second factor") :]
    assert "Recovered in" in report


def test_where_nobody_is_enrolled_nobody_is_locked_out_of_an_empty_machine(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.silence()
    site.back_up()
    site.lose_everything()
    monkeypatch.setenv("TOCSIN_ACCESS__ENFORCE", "true")

    report = put_right(site).report

    assert site.silences() == 1
    assert any("second-factor enrol" in one for one in report.todo)


def test_a_service_identity_may_recover_and_it_is_on_record_in_its_name(
    site: Site, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {**site.environ, "JWT_SECRET": "j" * 43}
    words = ("--service", "phoenix", "--scope", "backups:restore", "--lifetime", "1h")
    token = tocsin(environ, "tokens", "issue", *words).stdout.strip()
    enrolled(site.runtime.second_factors, clock)
    site.back_up()
    site.lose_everything()
    for name, value in {"JWT_SECRET": "j" * 43, "TOCSIN_ACCESS__ENFORCE": "true", "TOCSIN_IDENTITY": token}.items():
        monkeypatch.setenv(name, value)

    assert put_right(site).report.is_over
    told = tocsin(environ, "audit", "log").stdout
    assert next(line for line in told.splitlines() if "backups.recover" in line).count("phoenix") == 1


def test_broken_off_at_the_code_it_asks_again_by_the_server_it_starts_itself(
    site: Site, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(site.runtime.second_factors, clock)
    site.back_up()
    site.lose_everything()
    Walk("latest", dry_run=False).files()
    for name, value in {"TOCSIN_ACCESS__ENFORCE": "true", "TOCSIN_PERSON": "anna"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("REDIS_URL")

    with pytest.raises(CliError, match="no terminal to ask"):
        may_recover_early()


def test_a_server_that_is_away_is_no_way_round_the_code(site: Site, clock: MovableClock, monkeypatch: Any) -> None:
    enrolled(site.runtime.second_factors, clock)
    for name, value in {"TOCSIN_ACCESS__ENFORCE": "true", "REDIS_URL": "redis://127.0.0.1:1/0"}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(CliError, match="nobody can be asked for a code"):
        may_recover_early()
