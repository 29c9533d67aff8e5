"""What every command is: a look, an act, or a destructive act, which is authorised before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

READS: Final = frozenset(
    {
        "alerts.explain",
        "alerts.list",
        "alerts.open",
        "alerts.silence.list",
        "alerts.silence.preview",
        "alerts.trail",
        "audit.prove",
        "audit.verify",
        "audit.export",
        "audit.log",
        "audit.show",
        "backups.list",
        "backups.show",
        "backups.diff",
        "backups.ls",
        "backups.verify",
        "configuration.check",
        "configuration.docs",
        "configuration.encrypt",
        "configuration.keygen",
        "configuration.schema",
        "configuration.show",
        "configuration.task-key",
        "errors.show",
        "errors.top",
        "escalations.list",
        "escalations.show",
        "escalations.simulate",
        "health",
        "health.history",
        "incidents.actions",
        "incidents.export",
        "incidents.list",
        "incidents.open",
        "incidents.show",
        "logs.hold.list",
        "logs.list",
        "logs.verify",
        "notifications.breakers",
        "notifications.dead-letters",
        "notifications.groups",
        "notifications.limits",
        "notifications.own",
        "notifications.preview",
        "notifications.receipts",
        "notifications.show",
        "prove",
        "schedules.list",
        "schedules.show",
        "security.second-factor.status",
        "task.describe",
        "task.list",
        "task.status",
        "tokens.check",
        "tokens.keys",
        "tokens.list",
        "tokens.revocations",
        "tokens.status",
        "webhooks.check",
        "webhooks.list",
        "webhooks.mappings",
        "webhooks.try",
    }
)
ACTS: Final = frozenset(
    {
        "alerts.drain",
        "alerts.silence.add",
        "alerts.silence.expire",
        "alerts.submit",
        "audit.collect",
        "audit.seal",
        "backups",  # with --create
        "backups.create",
        "backups.drill",  # restores into a sandbox of its own
        "beat",
        "demo",
        "escalations.cancel",
        "escalations.pause",
        "escalations.resume",
        "escalations.skip",
        "flower",
        "gateway",
        "incidents.ack",
        "incidents.acknowledge",
        "incidents.create",
        "incidents.merge",
        "incidents.note",
        "incidents.reassign",
        "incidents.resolve",
        "incidents.snooze",
        "incidents.sync",
        "incidents.update",
        "logs.hold.add",
        "logs.hold.release",
        "logs.restore",  # brings records back, and takes none away
        "notifications.breakers.force",  # ends by itself
        "notifications.breakers.release",
        "notifications.replay",
        "recover",  # asks by itself, once what it needs for that is back
        "sandbox",
        "schedules.pause",
        "schedules.resume",
        "schedules.run",  # what the task itself is decides: its message needs a grant
        "security.second-factor.enrol",  # asks by itself, once anybody is enrolled
        "sentinel",
        "task.run",  # as schedules.run
        "tokens.gone",  # ends a reminder
        "tokens.issue",  # asks by itself where scopes of destructive acts are asked for
        "tokens.revoke",  # takes power away, and may be urgent
        "up",
        "webhooks.catch-up",
        "webhooks.create",
        "webhooks.enable",
        "webhooks.test",
        "worker",
    }
)


class Destroys(NamedTuple):
    """The act in tasks/tokens/destructive.py, and the options with which nothing is destroyed."""

    act: str
    unless: tuple[str, ...] = ()


DESTROYS: Final[Mapping[str, Destroys]] = {
    "backups.prune": Destroys("backups.prune", ("dry_run",)),
    "backups.restore": Destroys("backups.restore", ("dry_run", "into")),  # nothing that is there is replaced
    "deployments.apply": Destroys("deployments.apply", ("dry_run", "validate")),
    "logs.cleanup": Destroys("logs.clean_up", ("dry_run",)),
    "logs.clean-up": Destroys("logs.clean_up", ("dry_run",)),
    "logs.relist": Destroys("logs.clean_up", ("dry_run",)),  # from then on what is not on the list counts for nothing
    "notifications.drop": Destroys("notifications.drop"),
    "notifications.purge": Destroys("notifications.purge", ("dry_run",)),
    "security.second-factor.recovery-codes": Destroys("security.second_factor"),
    "security.second-factor.remove": Destroys("security.second_factor"),
    "tokens.reveal": Destroys("tokens.rotate"),
    "tokens.resume": Destroys("tokens.rotate", ("dry_run",)),
    "tokens.rotate": Destroys("tokens.rotate", ("dry_run",)),
    "webhooks.delete": Destroys("webhooks.delete"),
}


def is_listed(command: str) -> bool:
    """Whether a command (`notifications.purge`) has its place in the table."""
    return command in READS or command in ACTS or command in DESTROYS


def permit(command: str, values: Mapping[str, Any]) -> None:
    """Have a destructive command authorised, and refuse one that has no place in the table where acts are guarded."""
    found = DESTROYS.get(command)
    if found is not None and not any(values.get(option) for option in found.unless):
        from workers.cli.authority import authorise

        authorise(found.act)
    elif found is None and not is_listed(command):
        _refuse_unlisted(command)


def _refuse_unlisted(command: str) -> None:
    from workers.cli.connection import current_settings
    from workers.cli.output import CliError, ExitCode

    if current_settings().guards_acts:
        fault = f"tocsin {command.replace('.', ' ')} has no place in the table of permissions: please report that."
        raise CliError(fault, ExitCode.NEEDS_CONFIRMATION)
