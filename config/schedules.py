"""The section of scheduled tasks: what is changed of the entries of `schedules/beat.py`."""

import json
import re
from datetime import datetime
from typing import Annotated, Any

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

from config.errors import UnfitError
from config.section import Section
from config.values import Duration

_ANY_TIME = datetime(2024, 1, 1)  # noqa: DTZ001 - whether it ever comes does not depend on the zone
_MEND = "write five fields, minute hour day month weekday, such as `30 3 * * *` for half past three at night (UTC)"


def _check_cron(text: str) -> str:
    fields = text.split()
    if len(fields) != 5 or re.search(r"[^0-9A-Za-z*/,# -]", text):
        raise UnfitError("is not a crontab expression", _MEND)
    try:
        next(CronSim(text, _ANY_TIME))
    except (CronSimError, StopIteration):
        raise UnfitError("is not a crontab expression, or names a day that never comes", _MEND) from None
    return " ".join(fields)


Cron = Annotated[str, AfterValidator(_check_cron)]


def _as_json(value: Any) -> Any:
    """A value with its type: in files everything is text. `60` is a number, `"60"` within quotes of its own is text."""
    if isinstance(value, dict):
        return {name: _as_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(part) for part in value]
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


Arguments = Annotated[dict[str, Any], AfterValidator(_as_json)]


class ScheduleEntry(Section):
    """What is changed of one scheduled task; `tocsin schedules list` names them all."""

    cron: Cron | None = Field(None, description="When it runs, as a crontab expression in UTC.")
    enabled: bool = Field(
        default=True, description="Whether it runs at all. For a while only: `tocsin schedules pause`."
    )
    arguments: Arguments = Field(
        default_factory=dict,
        description="Arguments of the task, over those the entry has; `tocsin task describe` explains them.",
    )
    catch_up: Duration | None = Field(
        None, description="How long after its time a missed run is still made up for, once; 0 = never."
    )
