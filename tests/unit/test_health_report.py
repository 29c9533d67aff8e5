"""A report in every form, also where what was found is hostile."""

from __future__ import annotations

import json
import re

import pytest

from tasks.health.examination import About, report_of
from tasks.health.report_page import to_html
from tasks.health.report_text import to_json, to_markdown
from tasks.utils.health_monitor import Line

ABOUT = About("production", "host-1", "0.1.0")
LINES = [
    Line(
        "server.policy", "fail", "allkeys-lru", "noeviction", "`redis-cli config set maxmemory-policy noeviction` now"
    ),
    Line("workers.alert", "warn", "1 well; h-7 silent", "one", "start `tocsin worker alert`"),
    Line("server.aof", "ok", "on", "on"),
    Line("canary.way", "skip", "no service"),
]
HOSTILE = "<script>alert(1)</script> | [x](javascript:y) **b** \n# head"


def test_json_has_the_status_and_every_check_with_what_to_do() -> None:
    told = json.loads(to_json(report_of(LINES, ABOUT, "full", 1.5)))

    assert told["status"] == "fail"
    assert [check["name"] for check in told["checks"]] == ["server.policy", "workers.alert", "server.aof", "canary.way"]
    assert told["checks"][0]["mend"] == LINES[0].mend
    assert told["checks"][0].keys() == {"name", "state", "value", "limit", "mend"}


def test_markdown_says_first_what_to_do_and_then_all_of_it_by_group() -> None:
    told = to_markdown(report_of(LINES, ABOUT, "full", 1.5))

    assert told.startswith("# Tocsin is failing\n")
    assert "1 fail, 1 warn, 1 ok, 1 skip" in told
    assert told.index("## What to do") < told.index("## Server") < told.index("## Workers")
    assert "`redis-cli config set maxmemory-policy noeviction`" in told
    assert "| ✔ | server.aof | on | on |" in told


def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = to_html(report_of(LINES, ABOUT, "full", 1.5))

    assert not re.search(r"<(script|link|img|iframe)|https?://|url\(", page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert "<code>redis-cli config set maxmemory-policy noeviction</code>" in page


@pytest.mark.parametrize("field", ["value", "limit", "mend"])
def test_foreign_words_draw_nothing_and_link_nowhere(field: str) -> None:
    words = {"value": "", "mend": "m", field: HOSTILE}
    report = report_of([Line("events.x", "fail", **words)], ABOUT, "full", 0)

    page, markdown = to_html(report), to_markdown(report)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in markdown.replace("\\<", "")
    assert "\n# head" not in markdown
    assert "[x](" not in markdown


def test_one_that_is_well_has_nothing_to_do() -> None:
    report = report_of(LINES[2:], ABOUT, "quick", 0.1)

    assert report.status == "ok"
    assert "What to do" not in to_html(report) + to_markdown(report)
