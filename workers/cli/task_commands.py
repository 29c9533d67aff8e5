"""`tocsin task …`: every task from the shell, with its arguments typed and its answer printed."""

from typing import Annotated

import typer

from workers.cli.lazy import new_app
from workers.cli.output import JsonFlag, answer, answer_fields, answer_json, answer_table, say
from workers.cli.task_names import complete

app = new_app(help="List, describe and run tasks, and ask what became of one.", no_args_is_help=True)

TaskName = Annotated[str, typer.Argument(metavar="NAME", help="Such as alerts.submit.", autocompletion=complete)]


@app.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """Every task: its name, the queue it waits in, what it does."""
    from workers.cli.task_catalogue import catalogue

    tasks = catalogue()
    if as_json:
        answer_json([task._asdict() for task in tasks])
    else:
        answer_table(("TASK", "QUEUE", "WHAT IT DOES"), [(task.name, task.queue, task.summary) for task in tasks])


@app.command()
def describe(name: TaskName, *, as_json: JsonFlag = False) -> None:
    """One task: its arguments with their types, and its whole description."""
    from workers.cli.task_catalogue import describe as describe_task
    from workers.cli.task_catalogue import find

    description = describe_task(find(name))
    if as_json:
        answer_json(description)
        return
    answer_fields({key: description[key] for key in ("name", "queue")})
    for argument in description["arguments"]:
        default = "required" if argument["required"] else f"default {argument['default']!r}"
        answer(f"  {argument['name']}: {argument['type']}, {default}")
    if description["description"]:
        answer(f"\n{description['description']}")


@app.command()
def run(
    name: TaskName,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Value: JSON or text; KEY=@FILE reads a file, KEY=- reads stdin."),
    ] = None,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the answer and print it.")] = False,
    timeout: Annotated[float, typer.Option(help="Longest wait in seconds.", min=0.1)] = 60.0,
    as_json: JsonFlag = False,
) -> None:
    """Send a task to the workers; prints its id, or with --wait its answer (which is kept for a day)."""
    from workers.cli.task_arguments import parse, signature_of
    from workers.cli.task_calls import send, wait_for
    from workers.cli.task_catalogue import find

    task = find(name)
    task_id = send(name, parse(arguments or [], signature_of(task)))
    if wait:
        wait_for(task_id, timeout_seconds=timeout).print(as_json=as_json)
    elif as_json:
        answer_json({"task_id": task_id, "task": name})
    else:
        answer(task_id)
        say(f"Sent. What became of it: tocsin task status {task_id}")


@app.command()
def status(task_id: Annotated[str, typer.Argument(metavar="ID")], *, as_json: JsonFlag = False) -> None:
    """What became of a task that was sent from the shell or the API during the last day."""
    from workers.cli.task_calls import look_up

    look_up(task_id).print(as_json=as_json)
