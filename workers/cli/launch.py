"""`up`, `demo` and `sandbox`: processes of their own, started in place of this one with the words given."""

import os
import sys
from typing import NoReturn

import typer

from workers.cli.lazy import new_app

_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False}

# Asking the processes themselves would take a second; a test holds these lists to what they answer.
_UP_OPTIONS = """\b
Also:
  --state-dir DIR             where everything that lasts is kept
  --config-dir DIR            folder of pagerduty.yaml, services and the rest
  --gateway-port PORT         another one is taken where it is not free
  --flower-port PORT          the same
  --allow-embedded            use the embedded server in production too
  --sandbox / --no-sandbox    deliver to the sandbox, or not
  -v, --verbose               show every line the processes log"""
_DEMO_OPTIONS = """\b
Also:
  --state-dir DIR  keep everything there; else it is thrown away at the end
  -v, --verbose    show every line the processes log"""
_SANDBOX_OPTIONS = """\b
Also:
  --host HOST          a loopback address (default: 127.0.0.1)
  --port PORT          0 takes a free one (default: 0)
  --account FILE.json  services, routing keys and tokens to know
  --region us/eu       where the account is; the other region refuses its keys (default: us)
  --sink               take every event at once and keep no incidents
  --no-limits          throttle nothing"""

up_app = new_app()
demo_app = new_app()
sandbox_app = new_app()


@up_app.command(context_settings=_PASS_ON, epilog=_UP_OPTIONS)
def up(ctx: typer.Context) -> None:
    """Start Redis (when none is given), sandbox, gateway, workers, beat, sentinel and Flower as one group.

    Ctrl-C stops all of it.
    """
    _become("deploy.local", ["up", *ctx.args])


@demo_app.command(context_settings=_PASS_ON, epilog=_DEMO_OPTIONS)
def demo(ctx: typer.Context) -> None:
    """Start everything, send real alerts through an outage and a kill, and prove that none was lost.

    Ends by itself; exit code 1 if the proof fails.
    """
    _become("deploy.local", ["demo", *ctx.args])


@sandbox_app.command(context_settings=_PASS_ON, epilog=_SANDBOX_OPTIONS)
def sandbox(ctx: typer.Context) -> None:
    """Run a stand-in for PagerDuty; prints {"url": …} once it listens."""
    _become("deploy.sandbox", ctx.args)


def _become(module: str, words: list[str]) -> NoReturn:
    # -P: a folder named `config` or `tasks` where the user happens to stand must not shadow ours
    os.execv(sys.executable, [sys.executable, "-P", "-m", module, *words])  # noqa: S606
