"""A second factor proves that a person is there: once for each code, and not by guessing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.security.service import LockedOutError, NotEnrolledError, SecondFactors, WrongCodeError
from tasks.utils.error_handler import DeniedError, PermanentError
from tests.integration.factor_kit import STEP, Machines, Phone, enrolled

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


def test_a_code_of_now_proves_that_the_person_is_there(factors: SecondFactors, clock: MovableClock) -> None:
    phone, _ = enrolled(factors, clock)

    assert factors.check("anna", phone.code()) == "code"


def test_nothing_is_kept_before_the_first_code_fits(factors: SecondFactors, clock: MovableClock) -> None:
    enrolment = factors.begin("anna")

    with pytest.raises(WrongCodeError, match="not a code of now"):
        factors.enrol(enrolment, Phone(enrolment.secret, clock).wrong())

    assert factors.persons() == []
    with pytest.raises(NotEnrolledError, match="second-factor enrol"):
        factors.check("anna", "123456")


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_phone_whose_clock_is_a_step_off_is_believed(factors: SecondFactors, clock: MovableClock, off: int) -> None:
    phone, _ = enrolled(factors, clock)
    clock.advance(STEP)

    assert factors.check("anna", phone.code(off)) == "code"


def test_a_code_that_was_used_is_not_taken_again_nor_is_an_older_one(
    factors: SecondFactors, machine: Machines, clock: MovableClock
) -> None:
    phone, _ = enrolled(factors, clock)
    code, older = phone.code(), phone.code(-1)
    factors.check("anna", code)

    for replayed in (code, older):
        with pytest.raises(WrongCodeError, match="used before"):
            machine("b").check("anna", replayed)
    clock.advance(STEP)
    assert factors.check("anna", phone.code()) == "code"


def test_the_code_that_confirmed_the_enrolment_is_used_up(factors: SecondFactors, clock: MovableClock) -> None:
    enrolment = factors.begin("anna")
    code = Phone(enrolment.secret, clock).code()
    factors.enrol(enrolment, code)

    with pytest.raises(WrongCodeError, match="used before"):
        factors.check("anna", code)


def test_of_many_who_give_one_code_at_once_one_gets_in(machine: Machines, clock: MovableClock) -> None:
    phone, codes = enrolled(machine(), clock)

    def is_taken(code: str) -> bool:
        try:
            machine("b").check("anna", code)
        except PermanentError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(is_taken, [phone.code()] * 4)).count(True) == 1
        assert list(pool.map(is_taken, [codes[0]] * 4)).count(True) == 1


def test_guessing_ends_after_five_tries_also_with_the_right_code(factors: SecondFactors, clock: MovableClock) -> None:
    phone, _ = enrolled(factors, clock)
    for _ in range(5):
        with pytest.raises(WrongCodeError):
            factors.check("anna", phone.wrong())

    with pytest.raises(LockedOutError, match=r"none is taken before .* UTC; a recovery code is"):
        factors.check("anna", phone.code())
    clock.advance(timedelta(minutes=5))
    assert factors.check("anna", phone.code()) == "code"


def test_a_thousand_guesses_at_once_are_five(machine: Machines, clock: MovableClock, client: Any, keys: Keys) -> None:
    phone, _ = enrolled(machine(), clock)
    wrong = phone.wrong()

    def guess(_: int) -> type[Exception]:
        try:
            machine("b").check("anna", wrong)
        except DeniedError as error:
            return type(error)
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(guess, range(100)))
    assert outcomes.count(WrongCodeError) == 5
    assert outcomes.count(LockedOutError) == 95


def test_each_lock_out_is_twice_as_long_up_to_an_hour(factors: SecondFactors, clock: MovableClock) -> None:
    phone, _ = enrolled(factors, clock)
    spans = []
    for _ in range(6):
        for _ in range(5):
            with pytest.raises(WrongCodeError):
                factors.check("anna", phone.wrong())
        locked = factors.views()[0].locked_until
        assert locked is not None
        spans.append(round((locked - clock.now()).total_seconds() / 60))
        clock.advance(locked - clock.now() + timedelta(seconds=1))

    assert spans == [5, 10, 20, 40, 60, 60]


def test_a_right_code_makes_good_for_the_wrong_ones_before(factors: SecondFactors, clock: MovableClock) -> None:
    phone, _ = enrolled(factors, clock)
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(WrongCodeError):
                factors.check("anna", phone.wrong())
        factors.check("anna", phone.code())
        clock.advance(STEP)

    assert factors.views()[0].wrong_codes == 0


def test_the_wrong_codes_of_one_lock_nobody_else_out(factors: SecondFactors, clock: MovableClock) -> None:
    anna, _ = enrolled(factors, clock)
    ben, _ = enrolled(factors, clock, "ben")
    for _ in range(5):
        with pytest.raises(WrongCodeError):
            factors.check("anna", ben.code() if ben.code() != anna.code() else anna.wrong())

    assert factors.check("ben", ben.code()) == "code"


def test_a_recovery_code_stands_in_once_also_while_locked_out(factors: SecondFactors, clock: MovableClock) -> None:
    phone, codes = enrolled(factors, clock)
    for _ in range(5):
        with pytest.raises(WrongCodeError):
            factors.check("anna", phone.wrong())

    assert factors.check("anna", codes[0].upper()) == "recovery code"
    with pytest.raises(WrongCodeError, match="nor a recovery code that is left"):
        factors.check("anna", codes[0])
    assert factors.views()[0].recovery_codes == 9
    assert factors.check("anna", phone.code()) == "code"


def test_new_recovery_codes_make_the_former_ones_void(factors: SecondFactors, clock: MovableClock) -> None:
    phone, codes = enrolled(factors, clock)

    fresh = factors.renew_recovery_codes("anna")

    with pytest.raises(WrongCodeError):
        factors.check("anna", codes[0])
    assert factors.check("anna", fresh[0]) == "recovery code"
    assert factors.check("anna", phone.code()) == "code"


def test_another_phone_takes_the_place_of_the_first_only_when_that_is_meant(
    factors: SecondFactors, clock: MovableClock
) -> None:
    old, _ = enrolled(factors, clock)
    enrolment = factors.begin("anna")
    new = Phone(enrolment.secret, clock)

    with pytest.raises(PermanentError, match="--again"):
        factors.enrol(enrolment, new.code())
    factors.enrol(enrolment, new.code(), again=True)

    clock.advance(STEP)
    assert factors.check("anna", new.code()) == "code"
    with pytest.raises(WrongCodeError):
        factors.check("anna", old.code())
