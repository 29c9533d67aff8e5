"""What looks like a secret never reaches a log line."""

from __future__ import annotations

import pytest
import redis

from workers.logs import redact, without_tracebacks_of_outages

KEY = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"


@pytest.mark.parametrize(
    "name", ["routing_key", "PAGERDUTY_API_KEY", "password", "jwt_secret", "Authorization", "token"]
)
def test_a_value_whose_name_says_secret_is_masked(name: str) -> None:
    assert redact(None, "info", {name: "anything"})[name] == "********"


def test_keys_and_passwords_in_the_middle_of_a_text_are_masked() -> None:
    line = redact(None, "info", {"error": f"no answer from redis://user:pass@host:1/0 for {KEY}"})["error"]

    assert line == "no answer from redis://********@host:1/0 for ********"


def test_event_ids_stay_readable() -> None:
    assert redact(None, "info", {"event_id": KEY})["event_id"] == KEY


def test_ordinary_words_stay() -> None:
    assert redact(None, "info", {"event": "delivered", "n": 3}) == {"event": "delivered", "n": 3}


def caught(error: Exception, cause: Exception | None = None) -> tuple[type, Exception, object]:
    try:
        raise error from cause  # noqa: TRY301
    except Exception as raised:  # noqa: BLE001 - any will do
        return type(raised), raised, raised.__traceback__


def test_a_server_that_is_away_costs_one_line() -> None:
    away = caught(RuntimeError("reject"), redis.ConnectionError("Connection refused"))

    line = without_tracebacks_of_outages(None, "error", {"event": "Couldn't ack", "exc_info": away})

    assert line == {"event": "Couldn't ack", "error": "ConnectionError: Connection refused"}


def test_the_traceback_of_a_bug_stays() -> None:
    bug = caught(KeyError("service"))

    assert without_tracebacks_of_outages(None, "error", {"exc_info": bug}) == {"exc_info": bug}
