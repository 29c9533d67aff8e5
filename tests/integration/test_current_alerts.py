"""Lists of the alerts as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.alerts import current
from tasks.utils.error_handler import UnknownError
from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from tasks.alerts.current import CurrentAlerts
    from tasks.utils.keys import Keys


@pytest.fixture
def pipeline(client: Any, keys: Keys) -> Pipeline:
    return Pipeline(client, keys, "http://127.0.0.1:1")


def keys_of(alerts: CurrentAlerts, **asked: Any) -> list[list[str]]:
    """The dedup keys of every page."""
    pages, cursor = [], ""
    while True:
        page = alerts.list(**asked, cursor=cursor)
        pages.append([view.dedup_key for view in page.alerts])
        cursor = page.next_cursor
        if not cursor:
            return pages


def test_pages_go_from_the_newest_to_the_oldest_and_name_each_alert_once(pipeline: Pipeline) -> None:
    pipeline.submit(*(alert(f"disk-{n}") for n in range(25)))

    pages = keys_of(pipeline.current, limit=10)

    assert [len(page) for page in pages] == [10, 10, 5]
    assert sorted(key for page in pages for key in page) == sorted(f"disk-{n}" for n in range(25))


def test_a_list_can_be_of_one_status_and_service(pipeline: Pipeline) -> None:
    pipeline.submit(alert("disk"), alert("cpu"), alert("cpu", "resolve"), {**alert("net"), "service": "solo"})

    assert keys_of(pipeline.current, status="open", service="shop") == [["disk"]]
    assert keys_of(pipeline.current, status="resolved") == [["cpu"]]


def test_a_call_looks_at_a_bounded_number_and_says_where_to_go_on(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current, "MOST_LOOKED_AT", 10)
    pipeline.submit({**alert("needle"), "service": "solo"})
    pipeline.submit(*(alert(f"hay-{n}") for n in range(25)))

    pages = keys_of(pipeline.current, service="solo")

    assert len(pages) == 3
    assert [key for page in pages for key in page] == ["needle"]


def test_an_unknown_alert_is_said_to_be_unknown(pipeline: Pipeline) -> None:
    with pytest.raises(UnknownError, match="nothing is known"):
        pipeline.current.get("nobody")
