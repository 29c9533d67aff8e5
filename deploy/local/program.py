import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.local.up import Options, up

DESCRIPTION: Final = "Tocsin on this machine, as one group of processes."
UP: Final = "Start server, sandbox, gateway, workers, beat and Flower; Ctrl-C stops all of it."
DEMO: Final = "The same with a story that ends by itself, in a folder of its own, on the sandbox only."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `up` or `demo`; the exit code."""
    said = _parser().parse_args(arguments)
    try:
        return _run(said)
    except Exception as error:
        if said.verbose:
            raise
        sys.stderr.write(f"Unexpected error: {type(error).__name__}: {error}\nThe whole story: add --verbose\n")
        return 1


def _run(said: argparse.Namespace) -> int:
    if said.command == "demo":
        from deploy.local.demo.run import demo  # noqa: PLC0415 (`up` needs neither Celery nor an HTTP client)

        return demo(said.state_dir, verbose=said.verbose)
    overrides = {
        "gateway.port": said.gateway_port,
        "flower.port": said.flower_port,
        "embedded.allow": said.allow_embedded or None,
    }
    return up(
        Options(
            config_dir=said.config_dir,
            state_dir=said.state_dir,
            overrides=overrides,
            sandbox=said.sandbox,
            verbose=said.verbose,
        )
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tocsin", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="up|demo")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state-dir", type=Path, metavar="DIR", help="where everything that lasts is kept")
    common.add_argument("-v", "--verbose", action="store_true", help="show every line the processes log")
    commands.add_parser("demo", parents=[common], description=DEMO, help=DEMO)
    whole = commands.add_parser("up", parents=[common], description=UP, help=UP)
    whole.add_argument("--config-dir", type=Path, metavar="DIR", help="folder of pagerduty.yaml, services and the rest")
    whole.add_argument("--gateway-port", type=int, metavar="PORT", help="another one is taken where it is not free")
    whole.add_argument("--flower-port", type=int, metavar="PORT", help="the same")
    whole.add_argument("--allow-embedded", action="store_true", help="use the embedded server in production too")
    whole.add_argument(
        "--sandbox",
        action=argparse.BooleanOptionalAction,
        help="deliver to the sandbox, or not; by default only in development and where no events_url is set",
    )
    return parser
