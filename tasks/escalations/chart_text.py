"""A chart of a simulation as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, tzinfo

    from tasks.escalations.chart import Chart, Lane

REACHED, LEFT_OUT, RESOLVED = "●", "○", "│"
OPEN, CLOSED = "─", " "
GAP: Final = 2  # blanks between two labels
KEY: Final = (
    f"{REACHED} reached   {LEFT_OUT} left out   {OPEN}{OPEN} may be taken   2-9 several   (long waits are drawn short)"
)


def chart_text(chart: Chart, zone: tzinfo | None, width: int = 100) -> str:
    """Lanes of text, then the axis: times of the zone, a day where it changes."""
    names = max([len(lane.step.name) for lane in chart.lanes], default=0)
    room = max(width - names - 2, 20)
    lines = [f"{lane.step.name:<{names}}  {_lane(lane, chart, room)}".rstrip() for lane in chart.lanes]
    lines += [f"{'':<{names}}  {line}".rstrip() for line in _axis(chart, zone, room)]
    return "\n".join([*lines, "", KEY])


def _lane(lane: Lane, chart: Chart, room: int) -> str:
    cells = [CLOSED] * room
    for band in lane.bands:
        for column in range(_column(band.start, room), _column(band.end, room) + 1):
            cells[column] = OPEN
    if chart.resolved is not None:
        cells[_column(chart.resolved, room)] = RESOLVED
    found: dict[int, list[str]] = {}
    for mark in lane.marks:
        found.setdefault(_column(mark.x, room), []).append(REACHED if mark.turn.outcome == "reached" else LEFT_OUT)
    for column, marks in found.items():
        cells[column] = marks[0] if len(marks) == 1 else str(min(len(marks), 9))
    return "".join(cells)


def _axis(chart: Chart, zone: tzinfo | None, room: int) -> Iterator[str]:
    places = [(_column(tick.x, room), tick.at.astimezone(zone)) for tick in chart.ticks]
    marks = ["┴" if column in dict(places) else "─" for column in range(room)]
    yield "".join(marks)
    kept = _kept([(column, f"{at:%H:%M}", at) for column, at in places], room)
    yield _labels([(column, text) for column, text, _ in kept], room)
    days = [(column, f"{at:%a %d %b}", at) for column, _, at in kept]
    firsts = [one for index, one in enumerate(days) if index == 0 or one[1] != days[index - 1][1]]
    yield _labels([(column, text) for column, text, _ in _kept(firsts, room)], room)


def _kept(labels: Sequence[tuple[int, str, datetime]], room: int) -> list[tuple[int, str, datetime]]:
    """The labels for which there is room, each beginning at its place."""
    kept: list[tuple[int, str, datetime]] = []
    free = 0
    for column, text, at in labels:
        place = min(column, room - len(text))
        if place >= free:
            kept.append((place, text, at))
            free = place + len(text) + GAP
    return kept


def _labels(labels: Sequence[tuple[int, str]], room: int) -> str:
    cells = [" "] * room
    for column, text in labels:
        cells[column : column + len(text)] = text
    return "".join(cells)


def _column(x: float, room: int) -> int:
    return min(int(x * room), room - 1)
