"""What holds for every document and every mapping: bounds, and plain words instead of a crash."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from config.mapping_files import mapping_paths
from tasks.utils.data_transformer import DataTransformer
from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.formatters import json_bytes
from tasks.utils.validators import check_alert
from tests.searching import searched
from tests.unit.mapping_kit import EACH, Mapper


@pytest.fixture
def mapper(tmp_path: Path) -> Mapper:
    return Mapper(tmp_path)


def test_more_than_500_entries_are_not_taken_and_it_is_said(mapper: Mapper) -> None:
    made = mapper.of(EACH).outcomes({"group": "g", "items": [{"id": n, "title": "t"} for n in range(600)]})

    assert sum(isinstance(each, dict) for each in made) == 500
    assert str(made[-1]).startswith("100 more entries were not taken")


def test_a_small_document_cannot_make_a_flood(mapper: Mapper) -> None:
    details = '"{$}"'
    transformer = mapper.of(EACH.replace('"{$item.title}"', '"{$item.title}", custom_details: ' + details))
    document = {"group": "g", "items": [{"id": n, "title": "t"} for n in range(500)], "filler": "x" * 900_000}

    began = time.process_time()
    alerts = transformer.alerts(document)

    assert sum(map(json_bytes, alerts)) < 10_000_000
    assert time.process_time() - began < 2


def test_what_costs_much_per_entry_is_found_once(mapper: Mapper) -> None:
    fields = (
        '"{$item.title}", source: "{all[*].x}", custom_details: {a: {hash: ["{$}"]}, b: "{big[name=z].x|none} {$}"}'
    )
    transformer = mapper.of(EACH.replace('"{$item.title}"', fields))
    document = {
        "group": "g",
        "items": [{"id": n, "title": "t"} for n in range(500)],
        "all": [{"x": 1}] * 100_000,
        "big": [{"name": "y"}] * 100_000,
    }

    began = time.process_time()
    assert len(transformer.alerts(document)) == 500

    assert time.process_time() - began < 2


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8)
words = st.sampled_from(
    [
        "id",
        "title",
        "items",
        "data",
        "event",
        "issue",
        "metric_alert",
        "issue_id",
        "action",
        "Message",
        "Type",
        "alerts",
    ]
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=4), inner, max_size=4)
)
SHIPPED = [DataTransformer.from_file(path) for path in mapping_paths(Path("/none")).values()]


def faults(transformer: DataTransformer, document: Any) -> list[str]:
    """What a document and the alerts it makes are refused for, a sentence each."""
    try:
        made = transformer.outcomes(document)
        refused = [str(each) for each in made if isinstance(each, InvalidAlertError)]
        for alert in (each for each in made if isinstance(each, dict)):
            check_alert(alert)
    except InvalidAlertError as error:
        return error.errors
    return refused


@given(documents)
@searched(50)
def test_any_document_gives_alerts_or_plain_words(document: Any) -> None:
    for transformer in SHIPPED:
        # Half a character is the one thing that no mapping can make good.
        assert all("; mend:" in fault or "UTF-8" in fault for fault in faults(transformer, document))


texts = st.sampled_from(
    ["{id}", "{data.id|x}: {title}", "{$item}", "{$item[*].id} {$}", "{items[id=1]}", "{$header.x}", "x"]
)
values = st.recursive(
    texts,
    lambda inner: (
        st.fixed_dictionaries(
            {"first": st.lists(inner, min_size=1, max_size=2)},
            optional={"lower": st.just("true"), "parse": st.just("json"), "map": st.just({"x": "y"}), "default": inner},
        )
        | st.fixed_dictionaries({"hash": st.lists(inner, min_size=1, max_size=2)})
    ),
    max_leaves=4,
)


@given(
    document=documents, key=values, summary=values, detail=values, when=st.sampled_from(['id!=""', "title=~.*", "x="])
)
@searched(50, *HealthCheck)
def test_any_mapping_of_any_document_gives_alerts_or_plain_words(
    mapper: Mapper, document: Any, key: Any, summary: Any, detail: Any, when: str
) -> None:
    fields = {
        "event_action": "trigger",
        "dedup_key": key,
        "summary": summary,
        "timestamp": detail,
        "custom_details": {"d": detail},
    }
    shapes = [{"when": when, "each": "items", "fields": fields}, {"each": "$", "fields": fields}]

    told = faults(mapper.of(yaml.dump({"alerts": shapes}, Dumper=yaml.CSafeDumper)), document)

    assert all("; mend:" in fault or "UTF-8" in fault for fault in told)


def test_a_document_nested_as_deep_as_json_can_be_is_no_fault_of_ours(mapper: Mapper) -> None:
    depth = 900
    document = {"id": 1, "title": "t", "deep": json.loads("[" * depth + "]" * depth)}
    transformer = mapper.with_fields('source: "{deep}"\ncustom_details: {deep: "{deep}"}')

    [alert] = transformer.alerts(document)

    assert check_alert(alert).alert["payload"]["source"].startswith("[[[")
