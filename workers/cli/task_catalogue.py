"""What tasks there are, as Celery knows them."""

import inspect
from typing import Any, NamedTuple

from workers.cli.connection import current_settings
from workers.cli.output import CliError, ExitCode
from workers.cli.task_arguments import signature_of, type_name
from workers.cli.task_names import did_you_mean


class Summary(NamedTuple):
    """One line of the list."""

    name: str
    queue: str
    summary: str


def registered() -> dict[str, Any]:
    """Every task of ours by wire name; Celery's own (`celery.chord` and the like) are left out."""
    current_settings()
    from workers.app import app

    app.loader.import_default_modules()
    app.finalize()
    return {name: task for name, task in sorted(app.tasks.items()) if not name.startswith("celery.")}


def find(name: str) -> Any:
    """The task of that name; CliError with the nearest names when there is none."""
    tasks = registered()
    if name not in tasks:
        message = f"There is no task {name}.{did_you_mean(name, list(tasks))}\nAll of them: tocsin task list"
        raise CliError(message, ExitCode.USAGE)
    return tasks[name]


def catalogue() -> list[Summary]:
    """A line for every task."""
    return [
        Summary(name, queue_of(task), next(iter(documentation(task).splitlines()), ""))
        for name, task in registered().items()
    ]


def queue_of(task: Any) -> str:
    """The queue the router sends this task to."""
    queue = task.app.amqp.router.route({}, task.name)["queue"]
    return str(getattr(queue, "name", queue))


def documentation(task: Any) -> str:
    """The docstring of the task's function."""
    return inspect.getdoc(inspect.unwrap(task.run)) or ""


def describe(task: Any) -> dict[str, Any]:
    """Name, queue, arguments (name, type, required, default) and docstring, ready for JSON."""
    arguments = [
        {
            "name": str(parameter) if parameter.kind is parameter.VAR_KEYWORD else parameter.name,
            "type": type_name(parameter),
            "required": parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD,
            "default": None if parameter.default is parameter.empty else parameter.default,
        }
        for parameter in signature_of(task).parameters.values()
    ]
    return {
        "name": task.name,
        "queue": queue_of(task),
        "arguments": arguments,
        "description": documentation(task),
    }
