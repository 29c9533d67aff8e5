"""The schedule as people and programs look at it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from tasks.utils.cron import in_words, next_due

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schedules.beat import Entry
    from tasks.utils.schedule_states import Run, ScheduleStates, State


class RunView(BaseModel):
    """One run of a scheduled task."""

    slot: datetime | None = Field(description="When it was due; null: somebody asked for it.")
    began: datetime | None
    ended: datetime | None = Field(description="Null while it is at work, or if it never came to its end.")
    seconds: float | None = Field(description="How long it took.")
    late_seconds: float = Field(description="How long after it was due it began.")
    result: str = Field(description="ok, failed, skipped, missed; empty while it is at work.")
    detail: str = Field(description="Why.")
    by: str


class PauseView(BaseModel):
    """Why a scheduled task rests."""

    by: str
    why: str
    since: datetime
    until: datetime | None = Field(description="Null: until it is resumed.")


class MissedView(BaseModel):
    """Runs that were left out."""

    at: datetime = Field(description="When it was noticed.")
    since: datetime = Field(description="When the first of them was due.")
    left_out: int = Field(description="How many were left out; 0: the run was made, though late.")
    is_caught_up: bool = Field(description="Whether one run made up for them.")


class ScheduleView(BaseModel):
    """One scheduled task: when it runs, and how it stands. All times are UTC."""

    entry: str
    task: str
    cron: str
    when: str
    arguments: dict[str, Any]
    enabled: bool
    catch_up_seconds: float = Field(description="How long after its time a missed run is made up for; 0: never.")
    next_due: datetime | None = Field(description="Null where it is switched off.")
    last: RunView | None
    progress: str = Field(description="How far the run is that is at work, where it says so.")
    pause: PauseView | None
    missed: MissedView | None = Field(description="The last time that runs were left out.")


def views(entries: Mapping[str, Entry], states: ScheduleStates, now: datetime) -> list[ScheduleView]:
    """Every entry as it stands."""
    found = states.read(list(entries), now)
    return [view_of(name, entry, found[name], now) for name, entry in entries.items()]


def run_view(run: Run) -> RunView:
    """One run."""
    return RunView(**run._asdict(), seconds=run.seconds)


def view_of(name: str, entry: Entry, state: State, now: datetime) -> ScheduleView:
    """One entry as it stands."""
    return ScheduleView(
        entry=name,
        task=entry.task,
        cron=entry.cron,
        when=in_words(entry.cron),
        arguments=dict(entry.arguments),
        enabled=entry.enabled,
        catch_up_seconds=entry.catch_up.total_seconds(),
        next_due=next_due(entry.cron, now.astimezone(UTC)) if entry.enabled else None,
        last=run_view(state.last) if state.last else None,
        progress=state.progress,
        pause=PauseView(**state.pause._asdict()) if state.pause else None,
        missed=MissedView(**state.missed._asdict()) if state.missed else None,
    )
