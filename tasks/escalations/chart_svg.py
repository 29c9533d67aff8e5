"""A chart of a simulation as a picture: SVG that stands alone, legible on light and dark ground."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from tasks.escalations.words import span_text, target_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from tasks.escalations.chart import Chart, Lane, Mark

WIDTH: Final = 1000
LEFT: Final = 220  # room for the names of steps
RIGHT: Final = 24
TOP: Final = 74
LANE: Final = 54
BAR: Final = 18  # height of the stretch in which a step may be taken
LETTER: Final = 7.0  # width of one at the size of labels
GAP: Final = 6
STYLE: Final = """
svg { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 13px; }
.ground { fill: #ffffff; } text { fill: #1f2933; } .dim { fill: #5b6875; } .title { font-size: 17px; font-weight: 600; }
.name { font-weight: 600; } .small { font-size: 12px; } .line { stroke: #c5ced6; stroke-width: 1; }
.grid { stroke: #dfe5ea; stroke-width: 1; } .open { fill: #d5e8f7; } .reached { fill: #0b6bb8; }
.left-out { fill: #ffffff; stroke: #8a5a00; stroke-width: 2; stroke-dasharray: 3 2; }
.begun { stroke: #b3261e; stroke-width: 2; } .resolved { stroke: #1d7a46; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #14181c; } text { fill: #e6eaee; } .dim { fill: #9fabb6; } .line { stroke: #46525d; }
  .grid { stroke: #2b333a; } .open { fill: #1d3d57; } .reached { fill: #6db9f5; }
  .left-out { fill: #14181c; stroke: #f0b34a; } .begun { stroke: #ff8a80; } .resolved { stroke: #62d394; }
}"""


def chart_svg(chart: Chart, zone: tzinfo | None) -> str:
    """The picture; times are those of the zone."""
    height = TOP + LANE * len(chart.lanes) + 96
    title = f"{chart.simulation.policy.name}: {chart.simulation.severity}, nobody answers"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title">',
        f'<title id="title">{escape(title)}</title>',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="16" y="30">{escape(title)}</text>',
        f'<text class="dim" x="16" y="51">{escape(_about(chart, zone))}</text>',
        *_axis(chart, zone),
        *(line for number, lane in enumerate(chart.lanes) for line in _lane(lane, TOP + number * LANE, zone)),
        *_key(chart, height - 18),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _about(chart: Chart, zone: tzinfo | None) -> str:
    begun = chart.simulation.at.astimezone(zone)
    return f"The alert begins on {begun:%a %Y-%m-%d} at {begun:%H:%M} {_zone_name(begun, zone)}."


def _zone_name(at: datetime, zone: tzinfo | None) -> str:
    return str(zone) if zone is not None else f"{at:%Z}"


def _lane(lane: Lane, top: float, zone: tzinfo | None) -> Iterator[str]:
    middle = top + LANE / 2
    targets = ", ".join(target_text(target) for target in lane.step.targets)
    yield f'<line class="line" x1="16" x2="{WIDTH - RIGHT}" y1="{top}" y2="{top}"/>'
    yield f'<text class="name" x="16" y="{middle - 3:.0f}">{escape(_cut(lane.step.name))}</text>'
    yield f'<text class="dim small" x="16" y="{middle + 14:.0f}">{escape(_cut(targets))}</text>'
    for band in lane.bands:
        start, width = _x(band.start), max((band.end - band.start) * (WIDTH - LEFT - RIGHT), 1)
        yield f'<rect class="open" x="{start:.1f}" y="{middle - BAR / 2}" width="{width:.1f}" height="{BAR}" rx="3"/>'
    yield from (_mark(mark, middle, zone) for mark in lane.marks)


def _mark(mark: Mark, y: float, zone: tzinfo | None) -> str:
    turn = mark.turn
    kind = "reached" if turn.outcome == "reached" else "left-out"
    said = f"{turn.at.astimezone(zone):%a %Y-%m-%d %H:%M}, round {turn.round}: {turn.outcome}"
    said = f"{said}; {turn.why}" if turn.why else said
    return f'<circle class="{kind}" cx="{_x(mark.x):.1f}" cy="{y}" r="6.5"><title>{escape(said)}</title></circle>'


def _axis(chart: Chart, zone: tzinfo | None) -> Iterator[str]:
    bottom = TOP + LANE * len(chart.lanes)
    yield f'<line class="line" x1="16" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}"/>'
    for tick in chart.ticks:
        kind = "begun" if tick.at == chart.simulation.at else "grid"
        kind = "resolved" if tick.at == chart.simulation.resolved_at else kind
        x = _x(tick.x)
        yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom + 5}"/>'
    yield from _labels(chart, zone, bottom)


def _labels(chart: Chart, zone: tzinfo | None, bottom: float) -> Iterator[str]:
    """Time and distance from the beginning where there is room, and the day where it changes."""
    free = free_day = 0.0
    day = ""
    for tick in chart.ticks:
        x, at = _x(tick.x), tick.at.astimezone(zone)
        since = span_text(tick.at - chart.simulation.at)
        half = LETTER * max(len(since), 5) / 2
        if x - half < free:
            continue
        free = x + half + GAP
        yield _label("small", x, bottom + 20, f"{at:%H:%M}")
        yield _label("dim small", x, bottom + 36, since)
        if f"{at:%a %d %b}" != day and x - 5 * LETTER >= free_day:
            day, free_day = f"{at:%a %d %b}", x + 5 * LETTER + GAP
            yield _label("dim small", x, bottom + 52, day)


def _label(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" text-anchor="middle" x="{x:.1f}" y="{y}">{text}</text>'


def _key(chart: Chart, y: float) -> Iterator[str]:
    x = 22.0
    known = [("reached", "reached"), ("left-out", "left out"), ("open", "may be taken"), ("begun", "the alert begins")]
    for kind, text in [*known, *([("resolved", "resolves by itself")] if chart.resolved is not None else [])]:
        yield _sign(kind, x, y)
        yield f'<text class="dim small" x="{x + 16:.0f}" y="{y}">{text}</text>'
        x += 40 + LETTER * len(text)
    yield f'<text class="dim small" text-anchor="end" x="{WIDTH - RIGHT}" y="{y}">long waits are drawn short</text>'


def _sign(kind: str, x: float, y: float) -> str:
    if kind == "open":
        return f'<rect class="open" x="{x - 7}" y="{y - 10}" width="16" height="12" rx="3"/>'
    if kind in ("begun", "resolved"):
        return f'<line class="{kind}" x1="{x}" x2="{x}" y1="{y - 11}" y2="{y + 2}"/>'
    return f'<circle class="{kind}" cx="{x}" cy="{y - 4}" r="5.5"/>'


def _x(place: float) -> float:
    return LEFT + place * (WIDTH - LEFT - RIGHT)


def _cut(text: str, most: int = 27) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
