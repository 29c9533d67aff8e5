"""`tocsin notifications receipts`: whether PagerDuty makes incidents of what it takes, and how fast."""

from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.output import ExitCode, JsonFlag, answer, answer_fields, answer_json

if TYPE_CHECKING:
    from tasks.incidents.receipt_models import ReceiptFigures


def receipts(
    *,
    hours: Annotated[int, typer.Option(min=1, max=168, help="How far back, in hours by the clock.")] = 24,
    as_json: JsonFlag = False,
) -> None:
    """Whether PagerDuty shows incidents of the alerts it took: seen, unverified, missed, and how long it took.

    Exit code 3 if any were missed.
    """
    from tasks.incidents.receipt_figures import Figures
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    found = Figures(runtime.client, runtime.keys, runtime.clock).over(hours)
    if as_json:
        answer_json({**found.model_dump(mode="json"), "verifies": runtime.settings.can_verify})
    else:
        _show(found, can_verify=runtime.settings.can_verify)
    if found.missed:
        raise typer.Exit(ExitCode.DEGRADED)


def _show(found: "ReceiptFigures", *, can_verify: bool) -> None:
    answer_fields(
        {
            "in the last hours": found.hours,
            "seen: PagerDuty has an incident": found.seen,
            "missed: it took them and shows none": found.missed,
            "unverified: nobody can tell": found.unverified,
            "resolved before they were seen": found.ended,
            "not seen yet": found.waiting,
            "half were an incident within": _seconds(found.p50_seconds, found.seen),
            "nine tenths within": _seconds(found.p90_seconds, found.seen),
            "99 of a hundred within": _seconds(found.p99_seconds, found.seen),
        }
    )
    if found.missed:
        answer(
            "What was missed went on to the next channel; which alerts: tocsin alerts list, tocsin alerts trail KEY."
        )
    if not can_verify:
        answer(
            "Without PAGERDUTY_API_KEY (or with receipts.enabled off) only webhooks tell what was seen; nothing counts as missed."
        )


def _seconds(bound: float | None, seen: int) -> str:
    return f"{bound:.0f} s" if bound is not None else "more than an hour" if seen else "-"
