from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from tests.integration.channels.http_kit import SECRET
from tests.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.notifications.channels.protocol import Message
    from tasks.utils.rows import Outcome
    from tests.integration.channels.http_kit import Kind


@pytest.fixture
def send(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Send one message by a channel of a kind; fails where its secret shows up in the outcome, a log or an output."""
    caplog.set_level(logging.DEBUG)

    def send(kind: Kind, message: Message, **made_with: Any) -> Outcome:
        with closing(kind.make(made_with)) as channel, structlog.testing.capture_logs() as logged:
            outcome = channel.send(message)
            seen = [repr(outcome), repr(message), repr(channel), caplog.text, repr(logged), *capfd.readouterr()]
        assert not any(SECRET in text for text in seen)
        return outcome

    return send


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))
