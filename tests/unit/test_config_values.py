from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.values import format_duration, mask_redis_url, parse_duration
from tests.searching import searched
from tests.unit.config_kit import Folder


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        (30, 30),
        (0.5, 0.5),
        ("250ms", 0.25),
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("1h30m", 5400),
        ("7 d", 604800),
        ("1.5 h", 5400),
        (timedelta(seconds=3), 3),
    ],
)
def test_durations_are_seconds_or_numbers_with_units(text: object, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 minutes", "1h later", "nan", "inf", "1e400", "m", True])
def test_what_is_no_duration_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="is not a length of time") as caught:
        parse_duration(text)
    assert "30s" in getattr(caught.value, "mend", "")


@searched(40)
@given(st.integers(min_value=0, max_value=10**9))
def test_a_shown_duration_reads_back_as_itself(milliseconds: int) -> None:
    value = timedelta(milliseconds=milliseconds)

    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost:6379",
        "redis://:p%40ss@[::1]:6380/15",
        "rediss://user:pass@cache.example:6380/0?ssl_cert_reqs=required",
        "unix:///run/redis.sock?db=1",
        "redis+socket:///run/redis.sock",
    ],
)
def test_these_are_redis_urls(tmp_path: Path, url: str) -> None:
    assert Folder(tmp_path).load({"REDIS_URL": url}).redis.url.get_secret_value() == url


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://geheim@localhost:6379", "the scheme 'http' is unknown"),
        ("localhost:6379", "it has no scheme"),
        ("geheim", "it has no scheme"),
        ("redis://:geheim@localhost:99999/0", "has no valid port"),
        ("redis://:geheim@localhost:0/0", "has no valid port"),
        ("redis://:geheim@localhost:port/0", "has no valid port"),
        ("redis://:gehe[im@localhost", "is not a URL"),
        ("redis://:geheim/geheim@localhost:6379/0", "has no valid port"),
        ("redis://localhost/main", "must end in a database number"),
        ("redis:///0", "names no host"),
        ("unix://", "names no socket file"),
    ],
)
def test_a_wrong_redis_url_is_said_without_repeating_it(tmp_path: Path, url: str, what: str) -> None:
    problem = Folder(tmp_path).problem({"REDIS_URL": url})

    assert problem.startswith("environment REDIS_URL: redis.url: ")
    assert what in problem
    assert "; mend: write redis://host:6379/0" in problem
    assert "geheim" not in problem


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:secret@h:1/0?password=secret", "redis://********@h:1/0"),
        ("redis://h/0", "redis://h/0"),
        ("unix:///run/r.sock?db=1", "unix:///run/r.sock"),
    ],
)
def test_a_masked_redis_url_says_where_and_nothing_more(url: str, shown: str) -> None:
    assert mask_redis_url(url) == shown


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://events.eu.pagerduty.com/", "https://events.eu.pagerduty.com"),
        ("https://events.pagerduty.com/v2/enqueue", "https://events.pagerduty.com"),
        ("http://127.0.0.1:4040/v2/enqueue/", "http://127.0.0.1:4040"),
    ],
)
def test_the_events_address_may_be_pasted_with_its_path(tmp_path: Path, url: str, base: str) -> None:
    assert Folder(tmp_path).load({"PAGERDUTY_EVENTS_URL": url}).pagerduty.events_url == base


@pytest.mark.parametrize(
    "url", ["events.pagerduty.com", "ftp://x", "https://", "https://u:p@x", "https://x?y=1", "http://x:y"]
)
def test_a_wrong_http_address_is_refused(tmp_path: Path, url: str) -> None:
    assert "mend: write https://host" in Folder(tmp_path).problem({"PAGERDUTY_API_URL": url})


@pytest.mark.parametrize("key", ["short", "A" * 44, "A" * 42 + "==", "!" * 43 + "=", "é" * 43 + "="])
def test_an_encryption_key_is_32_bytes_of_base64(tmp_path: Path, key: str) -> None:
    problem = Folder(tmp_path).problem({"ENCRYPTION_KEY": key})

    assert "security.encryption_key: must be 32 bytes as base64" in problem
    assert "tocsin config keygen" in problem
    assert key not in problem


def test_both_alphabets_of_base64_are_the_same_key(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    standard, urlsafe = "+/" + "A" * 41 + "=", "-_" + "A" * 41 + "="

    assert folder.load({"ENCRYPTION_KEY": standard}).require_encryption_key().get_secret_value() == urlsafe


@pytest.mark.parametrize(("given_level", "level"), [("debug", "DEBUG"), ("warn", "WARNING"), ("Error", "ERROR")])
def test_log_levels_may_be_written_in_any_case(tmp_path: Path, given_level: str, level: str) -> None:
    assert Folder(tmp_path).load({"LOG_LEVEL": given_level}).log_level == level
