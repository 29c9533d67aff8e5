"""The codes that authenticator apps show: RFC 6238 by its own test vectors."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from tasks.security import totp

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 27, 3, 0, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)

    assert totp.code_at(SECRET, totp.step_at(moment)) == code
    assert totp.matching_step(SECRET, code, moment) == totp.step_at(moment)


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_phone_may_be_one_step_ahead_or_behind(off: int) -> None:
    step = totp.step_at(NOW) + off

    assert totp.matching_step(SECRET, totp.code_at(SECRET, step), NOW) == step


@pytest.mark.parametrize("off", [-2, 2, -20, 20])
def test_but_not_more(off: int) -> None:
    assert totp.matching_step(SECRET, totp.code_at(SECRET, totp.step_at(NOW) + off), NOW) is None


@pytest.mark.parametrize(
    "code", ["", "0", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666", "\ud800"]
)  # the last: Arabic digits
def test_what_is_no_code_fits_nothing(code: str) -> None:
    assert totp.matching_step(SECRET, code, NOW) is None


def test_secrets_are_as_long_as_the_hash_and_differ() -> None:
    secrets = {totp.new_secret() for _ in range(100)}

    assert {len(secret) for secret in secrets} == {20}
    assert len(secrets) == 100


def test_the_qr_code_says_what_an_app_needs() -> None:
    found = urlsplit(totp.uri(SECRET, "anna", "Tocsin staging"))

    assert (found.scheme, found.netloc) == ("otpauth", "totp")
    asked = parse_qs(found.query)
    assert asked["secret"] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"] == [totp.as_text(SECRET)]
    assert (asked["digits"], asked["period"], asked["algorithm"]) == (["6"], ["30"], ["SHA1"])
    assert asked["issuer"] == ["Tocsin staging"]
