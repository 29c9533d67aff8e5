"""Labels as Redis keeps them: short, and whole again when they are read."""

from __future__ import annotations

import json

from tasks.alerts.labels import labels_of
from tasks.utils.kept_labels import LABEL_CHARACTERS, MOST_LABELS, keep, recall
from tests.pipeline import alert


def test_what_was_kept_is_recalled_whole() -> None:
    labels = labels_of(alert("disk", custom_details={"team": "d\u00e9j\u00e0", "cpu": 5}))

    assert recall(keep(labels), "shop", "disk") == labels


def test_what_other_rows_of_the_alert_tell_is_not_kept() -> None:
    assert set(json.loads(keep(labels_of(alert("disk"))))) == {"summary", "source", "severity"}


def test_of_very_many_labels_the_alerts_own_are_kept_and_long_ones_are_cut() -> None:
    labels = labels_of(alert("disk", custom_details={f"label{number}": "x" * 5000 for number in range(500)}))

    kept = json.loads(keep(labels))

    assert len(kept) == MOST_LABELS
    assert kept["severity"] == "critical"
    assert max(map(len, kept.values())) == LABEL_CHARACTERS


def test_where_none_were_kept_there_are_none() -> None:
    assert recall("", "shop", "disk") == {}
