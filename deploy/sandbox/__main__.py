from __future__ import annotations

import argparse
import gc
import ipaddress
import json
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from deploy.sandbox import generate
from deploy.sandbox.account import Account, AccountError
from deploy.sandbox.app import App
from deploy.sandbox.controls import explain
from deploy.sandbox.documents import AccountDocument
from deploy.sandbox.wire import address, serve
from deploy.sandbox.world import Options, World

if TYPE_CHECKING:
    from deploy.sandbox.access.documents import Region

DESCRIPTION = """A stand-in for PagerDuty's Events and REST APIs on this machine. It prints one line of JSON with its
address on stdout once it listens; GET /_sandbox there tells how to steer it. "tocsin sandbox generate --help" tells how
to make up an account of any size for it."""


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox until it is told to stop, or make up an account for it; the answer is the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["generate"]:
        return generate.main(arguments[1:])
    asked = _parser().parse_args(arguments)
    try:
        options = Options(
            account=_account(asked.account, asked.region),
            sink=asked.sink,
            events_per_minute=None if asked.no_limits else 120,
            rest_per_minute=None if asked.no_limits else 960,
        )
        listener = socket.create_server(
            (asked.host, asked.port), family=socket.AF_INET6 if ":" in asked.host else socket.AF_INET, backlog=2048
        )
    except (OSError, ValueError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    # Most of what is made here is kept: looking for garbage as often as Python does by itself costs a trigger half its time.
    gc.set_threshold(50_000, 20, 20)
    # uvicorn stops in order on SIGTERM and then raises it again for whoever was there before.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        world = World(options, address(listener))
        serve(App(world), listener, world.poster.close)
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tocsin sandbox", description=DESCRIPTION)
    parser.add_argument("--host", type=_loopback, default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one (default: %(default)s)")
    parser.add_argument("--account", type=Path, metavar="FILE.json", help="services, routing keys and tokens to know")
    parser.add_argument(
        "--region", choices=("us", "eu"), help="where the account is (default: as its file says, or us)"
    )
    parser.add_argument("--sink", action="store_true", help="take every event at once and keep no incidents")
    parser.add_argument("--no-limits", action="store_true", help="throttle nothing")
    return parser


def _loopback(host: str) -> str:
    host = "127.0.0.1" if host == "localhost" else host
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        f"{host} is no loopback address; the sandbox has no passwords, so it listens on 127.0.0.1 or ::1 only"
    )


def _account(path: Path | None, region: Region | None) -> AccountDocument:
    document = AccountDocument() if path is None else _read(path)
    return document if region is None else document.model_copy(update={"region": region})


def _read(path: Path) -> AccountDocument:
    try:
        document = AccountDocument.model_validate(json.loads(path.read_bytes()))
        Account(document)
    except ValidationError as error:
        raise AccountError(f"{path}: {explain(error)}") from None
    except ValueError as error:
        raise AccountError(f"{path}: {error}") from None
    return document


if __name__ == "__main__":
    sys.exit(main())
