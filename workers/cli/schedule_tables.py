"""How scheduled tasks and their runs are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workers.cli.output import answer_fields

if TYPE_CHECKING:
    from datetime import datetime

    from schedules.view import RunView, ScheduleView

HEADERS: Final = ("ENTRY", "TASK", "WHEN", "LAST RUN", "RESULT", "TOOK", "LATE", "NEXT DUE")
RUN_HEADERS: Final = ("DUE", "BEGAN", "RESULT", "TOOK", "LATE", "WHY", "BY")


def row(view: ScheduleView) -> list[str]:
    """One line of the list."""
    last = view.last
    return [
        view.entry,
        view.task,
        view.when,
        _moment(last.began or last.slot) if last else "",
        _result(last) if last else "",
        _took(last) if last else "",
        _late(last),
        _next(view),
    ]


def run_row(run: RunView) -> list[str]:
    """One line of the history."""
    due = _moment(run.slot) if run.slot else "asked for"
    late = span(run.late_seconds) if run.slot else ""
    return [due, _moment(run.began), _result(run), _took(run), late, run.detail, run.by]


def fields(view: ScheduleView) -> None:
    """Print all that is known of one."""
    last, pause, missed = view.last, view.pause, view.missed
    answer_fields(
        {
            "entry": view.entry,
            "task": view.task,
            "when": f"{view.when} UTC ({view.cron})",
            "arguments": view.arguments,
            "next due": _next(view),
            "missed runs": f"made up for once within {span(view.catch_up_seconds)}"
            if view.catch_up_seconds
            else "not made up for",
            "last run": f"{_moment(last.began or last.slot)} {_result(last)}" if last else "never",
            "took": _took(last) if last else "",
            "late": _late(last),
            "why": last.detail if last else "",
            "by": last.by if last else "",
            "progress": view.progress,
            "rests": f"{pause.why} ({pause.by}, since {_moment(pause.since)})" if pause else "",
            "left out": _missed(view) if missed else "",
        }
    )


def span(seconds: float) -> str:
    """A length of time, short."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _missed(view: ScheduleView) -> str:
    missed = view.missed
    if missed is None:
        return ""
    made_up = "made up for once" if missed.is_caught_up else "too late to be made up for"
    what = f"{missed.left_out} runs since" if missed.left_out else "none, but it came late; due"
    return f"{what} {_moment(missed.since)}, {made_up} (noticed {_moment(missed.at)})"


def _result(run: RunView) -> str:
    return run.result or "at work"


def _late(run: RunView | None) -> str:
    """A run that somebody asked for is never late."""
    return span(run.late_seconds) if run and run.began and run.slot else ""


def _took(run: RunView) -> str:
    return "" if run.seconds is None else span(run.seconds)


def _next(view: ScheduleView) -> str:
    if view.next_due is None:
        return "switched off"
    if view.pause:
        return f"rests until {_moment(view.pause.until)}" if view.pause.until else "rests"
    return _moment(view.next_due)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}".removesuffix(":00") if at else ""
