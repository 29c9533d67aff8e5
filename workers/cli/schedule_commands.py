"""`tocsin schedules …`: what runs when."""

from workers.cli.lazy import new_app
from workers.cli.output import JsonFlag, answer_json, answer_table

app = new_app(help="What runs when.", no_args_is_help=True)


@app.callback()
def _schedules() -> None:
    """What runs when."""


@app.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """Every scheduled task, when it runs, and when it is due next (UTC)."""
    from datetime import UTC, datetime

    from cronsim import CronSim

    from schedules.beat import ENTRIES

    now = datetime.now(UTC)
    rows = [
        {
            "entry": name,
            "task": entry.task,
            "cron": entry.cron,
            "when": CronSim(entry.cron, now).explain(),
            "next_due": f"{next(CronSim(entry.cron, now)):%Y-%m-%dT%H:%MZ}",
        }
        for name, entry in ENTRIES.items()
    ]
    if as_json:
        answer_json(rows)
    else:
        columns = ("entry", "task", "when", "next_due")
        answer_table(("ENTRY", "TASK", "WHEN", "NEXT DUE"), [[row[column] for column in columns] for row in rows])
