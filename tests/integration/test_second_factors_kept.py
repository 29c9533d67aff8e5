"""Second factors lie encrypted, outlive a server that loses everything, and stay removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.security import totp
from tasks.security.service import SecondFactors, WrongCodeError
from tasks.security.store import FILE, FactorStore
from tasks.utils.encryption import EncryptionError
from tasks.utils.error_handler import PermanentError, UnknownError
from tests.integration.factor_kit import KEY, NEW_KEY, RULES, STEP, Machines, Phone, enrolled

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys


@pytest.fixture
def machine(client: Any, keys: Keys, clock: MovableClock, tmp_path: Path) -> Machines:
    return Machines(client, keys, clock, tmp_path)


@pytest.fixture
def factors(machine: Machines) -> SecondFactors:
    return machine()


def test_no_secret_and_no_recovery_code_lies_open_anywhere(
    factors: SecondFactors, clock: MovableClock, client: Any, keys: Keys, tmp_path: Path
) -> None:
    phone, codes = enrolled(factors, clock)

    kept = str([client.hgetall(keys.factors), client.hgetall(keys.factor("anna")), (tmp_path / "a" / FILE).read_text()])

    for secret in (phone.secret.hex(), totp.as_text(phone.secret), *codes, *(code.replace("-", "") for code in codes)):
        assert secret not in kept
    assert (tmp_path / "a" / FILE).stat().st_mode & 0o077 == 0


def test_one_persons_second_factor_put_in_anothers_place_is_not_taken(
    factors: SecondFactors, clock: MovableClock, client: Any, keys: Keys
) -> None:
    phone, _ = enrolled(factors, clock, "mallory")
    client.hset(keys.factors, "anna", client.hget(keys.factors, "mallory"))

    with pytest.raises(EncryptionError):
        factors.check("anna", phone.code())
    assert "purpose" in factors.views()[0].fault


def test_what_redis_lost_is_put_back_from_a_machine_that_knew_it(
    machine: Machines, clock: MovableClock, client: Any
) -> None:
    phone, _ = enrolled(machine("a"), clock)
    machine("b").persons()
    client.flushall()

    assert machine("b").persons() == ["anna"]
    clock.advance(3 * STEP)
    assert machine("b").check("anna", phone.code()) == "code"


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_no_code_that_may_have_been_used_is_taken_after_redis_lost_which_were(
    machine: Machines, clock: MovableClock, client: Any, off: int
) -> None:
    phone, codes = enrolled(machine("a"), clock)
    clock.advance(STEP)
    used = phone.code(off)
    machine("a").check("anna", used)
    machine("b").persons()
    client.flushall()
    clock.advance(2 * STEP)  # the clock is lost as well

    with pytest.raises(WrongCodeError, match="used before"):
        machine("b").check("anna", used)

    assert machine("b").check("anna", codes[0]) == "recovery code"


def test_what_was_removed_does_not_come_back_from_a_machine_that_knew_it(
    machine: Machines, clock: MovableClock, client: Any
) -> None:
    enrolled(machine("a"), clock)
    machine("b").persons()
    machine("a").remove("anna")

    assert machine("b").persons() == []
    client.flushall()
    assert machine("b").persons() == machine("a").persons() == []
    with pytest.raises(UnknownError):
        machine("a").remove("anna")


def test_a_new_encryption_key_reads_the_old_and_takes_its_place_with_the_next_code(
    machine: Machines, clock: MovableClock
) -> None:
    phone, _ = enrolled(machine(), clock)

    with pytest.raises(EncryptionError, match="wrong key"):
        machine("a", NEW_KEY).check("anna", phone.code())
    assert machine("a", NEW_KEY, KEY).check("anna", phone.code()) == "code"
    clock.advance(STEP)
    assert machine("a", NEW_KEY).check("anna", phone.code()) == "code"


def test_after_a_rotation_all_are_encrypted_anew_at_once_and_only_once(
    machine: Machines, clock: MovableClock, client: Any, keys: Keys
) -> None:
    anna, _ = enrolled(machine(), clock)
    enrolled(machine(), clock, "ben")

    assert machine("a", NEW_KEY, KEY).reseal() == 2
    assert machine("a", NEW_KEY, KEY).reseal() == 0
    assert machine("b", NEW_KEY).check("anna", anna.code()) == "code"


@pytest.mark.parametrize("person", ["", "a b", "a:b", "a/b", "x" * 101, "a\x00"])
def test_a_person_has_a_name_that_fits_an_app_and_a_log(factors: SecondFactors, person: str) -> None:
    with pytest.raises(PermanentError, match="a person's name"):
        factors.begin(person)


def test_without_an_encryption_key_nobody_enrols_and_hears_why(
    client: Any, keys: Keys, clock: MovableClock, tmp_path: Path
) -> None:
    factors = SecondFactors(client, keys, FactorStore(client, keys, None, tmp_path), clock, RULES)
    enrolment = factors.begin("anna")

    with pytest.raises(PermanentError, match="ENCRYPTION_KEY is not set"):
        factors.enrol(enrolment, Phone(enrolment.secret, clock).code())
