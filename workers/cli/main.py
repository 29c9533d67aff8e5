"""`tocsin`: the program's table of commands and its one place where errors become words and exit codes."""

import shlex
import sys
from collections.abc import Mapping
from typing import Annotated, ClassVar

import typer

from workers.cli.interrupts import Interrupts
from workers.cli.lazy import Entry, LazyGroup
from workers.cli.output import EXIT_CODES, ExitCode, answer, say


class Tocsin(LazyGroup):
    """Every command by name. A capability is called like its folder under `tasks/`."""

    entries: ClassVar[Mapping[str, Entry]] = {
        "up": Entry("workers.cli.launch:up_app", "Start everything here as one process group"),
        "demo": Entry("workers.cli.launch:demo_app", "Start everything, page through it, prove nothing was lost"),
        "worker": Entry("workers.cli.processes:worker_app", "Run the worker of one group"),
        "beat": Entry("workers.cli.processes:beat_app", "Run the scheduler"),
        "sentinel": Entry("workers.cli.processes:sentinel_app", "Watch over Tocsin itself"),
        "gateway": Entry("workers.cli.processes:gateway_app", "Run the HTTP gateway"),
        "flower": Entry("workers.cli.processes:flower_app", "Run Flower, the view on the queues"),
        "sandbox": Entry("workers.cli.launch:sandbox_app", "Run a stand-in for PagerDuty"),
        "alerts": Entry("workers.cli.alert_commands:app", "Submit alerts, see their fate (also: alert)", ("alert",)),
        "incidents": Entry(
            "workers.cli.incident_commands:app",
            "PagerDuty's incidents: see, act, export (also: incident)",
            ("incident",),
        ),
        "notifications": Entry(
            "workers.cli.notification_commands:app", "Dead letters and replay (also: notification)", ("notification",)
        ),
        "webhooks": Entry(
            "workers.cli.webhook_commands:app", "Foreign documents; PagerDuty's webhooks (also: webhook)", ("webhook",)
        ),
        "escalations": Entry(
            "workers.cli.escalation_commands:app",
            "Who is called while nobody answers (also: escalation)",
            ("escalation",),
        ),
        "errors": Entry(
            "workers.cli.error_commands:app", "What went wrong, how often, how to mend it (also: error)", ("error",)
        ),
        "backups": Entry("workers.cli.backup_commands:app", "Back up, verify, restore (also: backup)", ("backup",)),
        "recover": Entry("workers.cli.recovery_commands:app", "Rebuild an installation from its backup"),
        "audit": Entry("workers.cli.audit_commands:app", "The records: of alerts, and of who did what"),
        "logs": Entry(
            "workers.cli.log_commands:app", "Clean up old records; archives, legal holds (also: log)", ("log",)
        ),
        "tokens": Entry(
            "workers.cli.token_commands:app", "Keys: age, rotation; access to the API (also: token)", ("token",)
        ),
        "security": Entry("workers.cli.security_commands:app", "Second factors of persons"),
        "configuration": Entry(
            "workers.cli.config_commands:app", "Show and check the settings (also: config)", ("config",)
        ),
        "health": Entry("workers.cli.health_commands:app", "How everything is, and what to do"),
        "task": Entry("workers.cli.task_commands:app", "List, describe and run tasks (also: tasks)", ("tasks",)),
        "schedules": Entry(
            "workers.cli.schedule_commands:app",
            "What runs when, how it went, what rests (also: schedule)",
            ("schedule",),
        ),
        "prove": Entry("workers.cli.proof:app", "Prove that no accepted alert was lost"),
    }


app = typer.Typer(
    cls=Tocsin,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        answer(f"tocsin {version('tocsin')}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Tocsin delivers alerts to PagerDuty through Celery, and can prove it.

    Every command explains itself: tocsin COMMAND --help
    """


def main() -> None:
    """Run the program; every error leaves as a sentence on stderr and an exit code."""
    arguments, interrupts = sys.argv[1:], Interrupts()
    try:
        interrupts.heed()
        typer.main.get_command(app)(arguments, prog_name="tocsin")
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:
        if interrupts.came:
            sys.exit(ExitCode.INTERRUPTED)
        if arguments[:1] == ["--debug"]:
            raise
        from workers.cli.errors import explain

        report = explain(error, again=shlex.join(["tocsin", "--debug", *arguments]))
        say(report.text)
        sys.exit(report.code)
