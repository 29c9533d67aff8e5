"""A bar for whoever waits at a terminal; nothing in a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function to be told how many more are done; the bar is drawn on stderr."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def watched() -> Iterator[Callable[[Any], None]]:
    """What the block reports (`tasks.utils.progress.report`) is drawn as a bar on stderr; the function given draws what others report."""
    from tasks.utils.progress import Seldom, shown

    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        line = bars.add_task("", total=None, visible=False)

        def draw(progress: Any) -> None:
            total = progress.total or None
            bars.update(line, description=progress.what, completed=progress.done, total=total, visible=True)

        with shown(Seldom(draw)):
            yield draw
