"""What runs when: look, let it rest, let it run again."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schedules.beat import Entry
from schedules.entries import entries_of
from schedules.view import RunView, ScheduleView, run_view, views
from tasks.runtime import Runtime
from tasks.utils.error_handler import UnknownError
from workers.gateway.api.access import Holder, Wired, allows
from workers.gateway.api.errors import described
from workers.gateway.bodies import RefusedError

EntryName = Annotated[str, Path(max_length=100, description="Its name.", examples=["ledger-seal"])]
READS = allows("schedules:read")
WRITES = allows("schedules:write")

router = APIRouter(prefix="/schedules", tags=["schedules"])


class Schedules(BaseModel):
    """Every scheduled task as it stands."""

    schedules: list[ScheduleView]


class ScheduleStory(ScheduleView):
    """One scheduled task as it stands, and its last runs."""

    runs: list[RunView] = Field(description="Newest first, fifty at most.")


class NewPause(BaseModel):
    """Why it is to rest, and how long. Its author is the subject of the token."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"comment": "disk swap"}]})

    comment: str = Field(min_length=1, max_length=1000, description="Why; whoever is on call next reads it.")
    until: AwareDatetime | None = Field(None, description="Left out: until it is resumed.")


@router.get(
    "",
    operation_id="listSchedules",
    summary="What runs when, and how it went",
    responses=described(),
    dependencies=[READS],
)
def list_all(runtime: Wired) -> Schedules:
    """Each with its last run, how late that was, when it is due next, and whether it rests. All times are UTC."""
    entries = entries_of(runtime.settings.schedules)
    return Schedules(schedules=views(entries, runtime.schedule_states, runtime.clock.now()))


@router.get(
    "/{id}",
    operation_id="getSchedule",
    summary="One scheduled task and its last runs",
    responses=described(404),
    dependencies=[READS],
)
def get(id: EntryName, runtime: Wired) -> ScheduleStory:  # noqa: A002 - its name in the path
    """With the reasons of runs that failed, were skipped or missed."""
    runs = [run_view(run) for run in runtime.schedule_states.runs(id)]
    return ScheduleStory(**_view(runtime, id).model_dump(), runs=runs)


@router.post(
    "/{id}/pause",
    operation_id="pauseSchedule",
    summary="Let a scheduled task rest",
    responses=described(404),
    dependencies=[WRITES],
)
def pause(id: EntryName, wish: NewPause, runtime: Wired, holder: Holder) -> ScheduleView:  # noqa: A002 - its name in the path
    """Runs that are due meanwhile are skipped for good."""
    _entry(runtime, id)
    if wish.until is not None and wish.until <= _now(runtime):
        raise RefusedError(400, ["until is past"])
    runtime.schedule_states.pause(id, holder.subject, wish.comment, wish.until)
    return _view(runtime, id)


@router.post(
    "/{id}/resume",
    operation_id="resumeSchedule",
    summary="Let a scheduled task run again",
    responses=described(404),
    dependencies=[WRITES],
)
def resume(id: EntryName, runtime: Wired, holder: Holder) -> ScheduleView:  # noqa: A002 - its name in the path
    """From its next time on; one that does not rest stays as it is."""
    _entry(runtime, id)
    runtime.schedule_states.resume(id, holder.subject)
    return _view(runtime, id)


def _view(runtime: Runtime, name: str) -> ScheduleView:
    return views({name: _entry(runtime, name)}, runtime.schedule_states, _now(runtime))[0]


def _entry(runtime: Runtime, name: str) -> Entry:
    entries = entries_of(runtime.settings.schedules)
    if name not in entries:
        raise UnknownError(f"there is no scheduled task {name!r}; GET /schedules lists those there are")
    return entries[name]


def _now(runtime: Runtime) -> datetime:
    return runtime.clock.now()
