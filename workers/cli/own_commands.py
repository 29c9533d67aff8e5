"""`tocsin notifications own`: what is amiss with Tocsin itself."""

from typing import TYPE_CHECKING

import typer

from workers.cli.output import ExitCode, JsonFlag, answer, answer_json, answer_table, say

if TYPE_CHECKING:
    from tasks.health.models import OwnAlert


def own(*, as_json: JsonFlag = False) -> None:
    """What is amiss with Tocsin itself, and whether people were told. Exit code 3 if anything is."""
    from tasks.runtime import Runtime
    from workers.cli.connection import current_settings

    report = Runtime(current_settings()).own_alerts.report()
    if as_json:
        answer_json(report.model_dump(mode="json"))
    elif report.alerts:
        answer_table(("ALERT", "SEVERITY", "SINCE", "TOLD", "WHAT", "MEND"), [_row(one) for one in report.alerts])
    else:
        answer("nothing is amiss")
    if not report.redis_answers:
        say("Redis does not answer: this is what the sentinel of this machine knows.")
    if any(not one.is_over for one in report.alerts) or not report.redis_answers:
        raise typer.Exit(ExitCode.DEGRADED)


def _row(alert: "OwnAlert") -> tuple[object, ...]:
    told = f"{alert.told_at:%H:%M:%S} UTC" if alert.told_at else "not yet"
    state = "well since" if alert.is_over else "amiss since"
    return alert.name, alert.severity, f"{state} {alert.since:%m-%d %H:%M:%S} UTC", told, alert.summary, alert.mend
