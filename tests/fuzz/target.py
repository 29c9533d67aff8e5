"""What the fuzz shoots at: a real gateway process, behind which alerts are decided on and delivered as usual."""

import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.embedded import start_server
from tasks.runtime import Runtime
from tasks.tokens.scopes import ROLES
from tasks.tokens.service import AccessTokens
from tasks.tokens.wiring import token_rules
from tests.conftest import Sandbox
from tests.fuzz.hostile import Raw
from tests.integration.gateway_kit import TRIGGER, Gateway, running_gateway, settings

STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ", re.MULTILINE)
PATIENCE = 0.05  # seconds for whatever a broken request may be answered with, before this side hangs up
OWED = 10.0
LARGE = 64 * 1024


class Target:
    """One gateway, and how it takes what is sent."""

    def __init__(self, gateway: Gateway, runtime: Runtime, token: str) -> None:
        self.gateway = gateway
        self.runtime = runtime
        self.token = token
        self.sent = 0
        self.statuses: Counter[int] = Counter()
        self.http = gateway.client()
        split = urlsplit(gateway.url)
        self._address = (str(split.hostname), int(split.port or 0))

    def bears(self, raw: Raw) -> None:
        """A clear answer, never a fault of ours, and the next good event gets through."""
        self.sent += 1
        answer = self._exchange(raw)
        statuses = [int(status) for status in STATUS.findall(answer)]
        self.statuses.update(statuses)

        # Who hangs up on a large body that it has not read resets the connection, and its answer may be lost on the way.
        assert not raw.is_whole or statuses or len(raw.data) > LARGE, "a whole request is owed an answer"
        assert all(status < 500 for status in statuses), answer[:2000]
        self.lives()

    def lives(self) -> None:
        """The next good event is accepted."""
        assert self.http.post("/v2/enqueue", json=TRIGGER).status_code == 202
        assert self.gateway.process.poll() is None

    def _exchange(self, raw: Raw) -> bytes:
        answer = b""
        with socket.create_connection(self._address, timeout=OWED if raw.is_whole else PATIENCE) as connection:
            # The other side may answer and hang up before it has been told everything.
            with suppress(ConnectionError):
                connection.sendall(raw.data)
            with suppress(ConnectionError, TimeoutError):
                answer = _all_of(connection)
            if not raw.is_whole:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                    answer += _all_of(connection)
        return answer


def _all_of(connection: socket.socket) -> bytes:
    parts = []
    with suppress(TimeoutError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


@contextmanager
def running_target(folder: Path, sandbox: Sandbox) -> Iterator[Target]:
    """A gateway on a server of its own, and a thread that does the workers' part."""
    with start_server(folder / "redis") as server:
        configured = settings(server.url, folder)
        pagerduty = configured.pagerduty.model_copy(update={"events_url": sandbox.url})
        runtime = Runtime(configured.model_copy(update={"pagerduty": pagerduty}))
        token = AccessTokens(token_rules(configured)).issue("fuzz", ROLES["admin"], timedelta(hours=8))
        with running_gateway(server, folder) as gateway, _at_work(runtime):
            target = Target(gateway, runtime, token)
            with closing(target.http):
                yield target
        runtime.client.close()


@contextmanager
def _at_work(runtime: Runtime) -> Iterator[None]:
    """Decide, tell together and deliver in a thread until the end; what goes wrong there is raised here."""
    stop = threading.Event()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.wait(0.05):
                runtime.alerts.drain_inbox()
                runtime.delivery.digest()
                runtime.delivery.drain()
        except BaseException as error:  # noqa: BLE001 (carried over to the test's own thread)
            faults.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        runtime.delivery.close()
    if faults:
        raise faults[0]
