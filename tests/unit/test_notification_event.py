"""What PagerDuty gets of a group: one alert that grows."""

from __future__ import annotations

import pytest

from tasks.utils.formatters import json_bytes
from tasks.utils.notification_builder import NotificationBuilder
from tasks.utils.validators import check_alert
from tests.unit.notification_kit import Templates, acknowledged, bundle, growing, member, reminder, resolved, single

BUILDER = NotificationBuilder()


def test_the_summary_says_how_many_fire_where_what_and_how_many_are_new() -> None:
    event = BUILDER.event(growing())

    assert event["event_action"] == "trigger"
    assert event["dedup_key"] == "tocsin-group-1"
    assert event["payload"]["summary"] == "5 alerts firing on web1, eu: disk 2 full (3 new)"
    assert event["payload"]["severity"] == "critical"
    assert event["payload"]["source"] == "db5, db4, db3, db2, db1"
    assert "routing_key" not in event


def test_one_alert_keeps_its_own_words_and_details() -> None:
    event = BUILDER.event(single(summary="disk full " + "!" * 900, details={"mount": "/var"}))

    assert event["payload"]["summary"] == "disk full " + "!" * 900
    assert event["payload"]["custom_details"]["details"] == {"mount": "/var"}


def test_the_details_hold_group_counts_and_the_newest_alerts() -> None:
    details = BUILDER.event(growing())["payload"]["custom_details"]

    assert details["group"] == {"host": "web1", "region": "eu"}
    assert details["counts"] == {"open": 5, "new": 3, "resolved": 2, "came_and_went": 1}
    assert [alert["event_id"] for alert in details["alerts"]] == [f"event-{number}" for number in (5, 4, 3, 2, 1)]


def test_five_hundred_loud_alerts_stay_far_below_what_pagerduty_takes() -> None:
    loud = {
        "summary": "s" * 1024,
        "source": "h" * 1024,
        "dedup_key": "k" * 1000,
        "labels": {f"label{n}": "v" * 5000 for n in range(200)},
        "links": [{"href": "https://x.example/" + "a" * 1900, "text": "t" * 500}] * 50,
        "details": {"trace": "x" * 400_000},
    }
    event = BUILDER.event(bundle(*(member(1, **{**loud, "dedup_key": f"{n}"}) for n in range(500))))

    assert json_bytes(event) < 128_000
    assert len(event["payload"]["summary"]) <= 1024
    details = event["payload"]["custom_details"]
    assert len(details["alerts"]) + details["more"] == 500
    assert len(event["links"]) <= 10


def test_one_alert_with_huge_details_stays_small_too() -> None:
    event = BUILDER.event(single(details={"trace": "\u20ac" * 400_000, "host": "db1"}))

    assert json_bytes(event) < 128_000
    assert event["payload"]["custom_details"]["details"]["host"] == "db1"


def test_links_of_the_members_come_once_each_and_a_common_client_is_named() -> None:
    link = {"href": "https://graphs.example/1", "text": "Graph"}
    common = {"links": [link], "client": "Grafana", "client_url": "https://grafana.example"}

    event = BUILDER.event(bundle(member(1, **common), member(2, **common)))

    assert event["links"] == [link, {"href": "https://grafana.example", "text": "Grafana"}]
    assert (event["client"], event["client_url"]) == ("Grafana", "https://grafana.example")


@pytest.mark.parametrize(("about", "action"), [(resolved(), "resolve"), (acknowledged(), "acknowledge")])
def test_an_end_needs_little_more_than_its_key(about: object, action: str) -> None:
    event = BUILDER.event(about)  # type: ignore[arg-type]

    assert (event["event_action"], event["dedup_key"]) == (action, "tocsin-group-1")
    assert "custom_details" not in event["payload"]


@pytest.mark.parametrize("about", [growing(), single(), reminder(), resolved(), acknowledged(), bundle()])
def test_every_event_is_one_that_pagerduty_takes(about: object) -> None:
    event = BUILDER.event(about)  # type: ignore[arg-type]

    checked = check_alert({**event, "service": "checkout"})

    assert checked.adaptations == ()


def test_the_summary_can_be_the_users_own(tmp_path: object) -> None:
    templates = Templates(tmp_path)  # type: ignore[arg-type]
    templates.write("night.j2", "{{ open }} x\n{{ what }}" + "!" * 2000)

    event = templates.builder().event(growing(), template="night")

    assert event["payload"]["summary"].startswith("5 x disk 2 full!!")
    assert len(event["payload"]["summary"]) == 1024


def test_a_broken_template_loses_no_page_and_is_told_in_the_details(tmp_path: object) -> None:
    templates = Templates(tmp_path)  # type: ignore[arg-type]
    templates.write("pagerduty.j2", "{{ oops }}")

    event = templates.builder().event(growing())

    assert event["payload"]["summary"] == "5 alerts firing on web1, eu: disk 2 full (3 new)"
    assert event["payload"]["custom_details"]["note"] == (
        "template pagerduty.j2:1 is broken: 'oops' is undefined; this is the plain default"
    )
    assert [error.place for error in templates.reported] == ["pagerduty.j2:1"]
