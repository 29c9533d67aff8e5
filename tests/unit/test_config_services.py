from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.config_kit import INGEST, KEY, OTHER_KEY, SERVICE, Folder


def test_a_service_has_the_name_of_its_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.eu.yaml", SERVICE)

    assert folder.load().services["shop.eu"].name == "shop.eu"


def test_a_service_that_calls_itself_otherwise_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", f"name: store\n{SERVICE}")

    assert folder.problem() == (
        "services/shop.yaml:1: name: is 'store', but the file is shop.yaml; "
        "mend: write `name: shop`, or rename the file to store.yaml"
    )


def test_two_services_with_one_ingest_key_are_both_named_and_the_key_is_not(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/a.yaml", f"ingest_keys: [{INGEST}]\n{SERVICE}")
    folder.write("services/b.yaml", f"{SERVICE}\ningest_keys:\n  - {'J' * 32}\n  - {INGEST}\n")

    problem = folder.problem()

    assert problem.startswith("services/b.yaml:4: ingest_keys[1]: this key belongs to service 'a' already")
    assert "services/a.yaml:1" in problem
    assert INGEST not in problem


def test_an_ingest_key_twice_in_one_service_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/a.yaml", f"ingest_keys: [{INGEST}, {INGEST}]\n{SERVICE}")

    assert "ingest_keys[1]: this key belongs to this service already" in folder.problem()


def test_two_services_may_share_a_routing_key_and_use_it_for_ingest(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/a.yaml", f"ingest_keys: [{KEY}]\n{SERVICE}")

    assert set(folder.load().services) == {"a", "default"}


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (f"{{name: primary, routing_key: {OTHER_KEY}}}", "two channels are called 'primary'"),
        (f"{{name: standby, routing_key: {KEY}}}", "two channels have the same routing key"),
    ],
)
def test_channels_that_cannot_be_told_apart_are_refused(tmp_path: Path, second: str, what: str) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", f"channels:\n  - {{name: primary, routing_key: {KEY}}}\n  - {second}\n")

    problem = folder.problem()

    assert what in problem
    assert problem.startswith("services/shop.yaml")


def test_one_routing_key_at_two_addresses_is_a_fall_back(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    second = f"{{name: eu, routing_key: {KEY}, events_url: 'https://events.eu.pagerduty.com'}}"
    folder.write("services/shop.yaml", f"channels:\n  - {{name: primary, routing_key: {KEY}}}\n  - {second}\n")

    assert [channel.name for channel in folder.load().services["shop"].channels] == ["primary", "eu"]


@pytest.mark.parametrize("text", ["", "channels: []\n", "team: a\n", "channels: [null]\n"])
def test_a_service_without_a_channel_is_refused(tmp_path: Path, text: str) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", text)

    assert ": channels" in folder.problem()


def test_a_key_at_fault_does_not_also_make_its_list_too_short(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", "channels:\n  - name: primary\n    routing_key: a-b\n")

    assert folder.problem() == (
        "services/shop.yaml:3: channels[0].routing_key: must be exactly 32 letters and digits, has 3 characters, "
        "some of them neither letters nor digits; mend: copy the whole key, without quotes or spaces"
    )


def test_the_default_service_must_exist(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "default_service: defalt")

    problem = folder.problem()

    assert problem.startswith("pagerduty.yaml:1: default_service: there is no service 'defalt'")
    assert "did you mean default?" in problem


def test_a_configuration_without_services_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "services" / "default.yaml").unlink()

    assert "services: holds no service" in folder.problem()


def test_a_service_has_its_own_window_and_deadlines_or_the_general_ones(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "dedup: {window: 1h}\ndelivery: {severity_deadlines: {error: 2m}}")
    folder.write("services/shop.yaml", f"dedup_window: 0\nseverity_deadlines: {{critical: 10s}}\n{SERVICE}")

    settings = folder.load()

    assert settings.dedup_window("default") == timedelta(hours=1)
    assert settings.dedup_window("shop") == timedelta(0)
    assert settings.severity_deadline("shop", "critical") == timedelta(seconds=10)
    assert settings.severity_deadline("shop", "error") == timedelta(minutes=2)
    assert settings.severity_deadline("default", "critical") == timedelta(minutes=1)


@pytest.mark.parametrize("setting", ["own_alerts: {service: shoop}", "health: {canary_service: shoop}"])
def test_a_service_that_another_setting_names_must_be_there(tmp_path: Path, setting: str) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", SERVICE)
    folder.write("pagerduty.yaml", f"default_service: shop\n{setting}\n")

    problem = folder.problem()

    assert problem.startswith("pagerduty.yaml:2: ")
    assert "there is no service 'shoop'; mend: did you mean shop?" in problem
