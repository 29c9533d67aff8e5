"""What a service file may say about fields to encrypt, and what then cannot be asked of them."""

from pathlib import Path

import pytest

from config.encrypted_fields import hides
from tests.unit.config_kit import ENCRYPTION_KEY, KEY, Folder

CHANNELS = f"channels: [{{name: a, routing_key: {KEY}}}]\n"
WITH_KEY = {"ENCRYPTION_KEY": ENCRYPTION_KEY}


@pytest.mark.parametrize(
    "field",
    [
        "custom_details",
        "custom_details.password",
        "payload.custom_details.a.b",
        "custom_details.*.token",
        "links",
        "client_url",
    ],
)
def test_details_links_and_images_can_be_encrypted(tmp_path: Path, field: str) -> None:
    folder = Folder(tmp_path)
    folder.write("services/default.yaml", f"{CHANNELS}encrypt_fields: ['{field}']")

    assert folder.load(WITH_KEY).services["default"].encrypt_fields == (field.removeprefix("payload."),)


@pytest.mark.parametrize("field", ["summary", "payload.severity", "dedup_key", "custom_details.", "password", "*"])
def test_what_alerts_are_told_apart_by_cannot(tmp_path: Path, field: str) -> None:
    folder = Folder(tmp_path)
    folder.write("services/default.yaml", f"\n{CHANNELS}encrypt_fields: ['{field}']")

    problem = folder.problem(WITH_KEY)

    assert problem.startswith("services/default.yaml:3: encrypt_fields[0]: ")
    assert f"is no field that can be encrypted, got {field!r}; mend: write custom_details" in problem


def test_it_needs_a_key(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/default.yaml", f"{CHANNELS}encrypt_fields: [links]")

    assert (
        "services/default.yaml:2: encrypt_fields: cannot be done: security.encryption_key is not set"
        in folder.problem()
    )


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("routes: [{name: r, match: ['password=x'], channels: [a]}]", "routes[0].match[0]"),
        (
            "routes: [{name: r, severity: [info], routes: [{name: s, match: ['PASSWORD=~x']}]}]",
            "routes[0].routes[0].match[0]",
        ),
        ("group_by: [host, password]", "group_by[1]"),
        ("routes: [{name: r, match: [host=x], group_by: [password]}]", "routes[0].group_by[0]"),
    ],
)
def test_a_route_or_group_that_looks_at_it_is_refused(tmp_path: Path, more: str, where: str) -> None:
    folder = Folder(tmp_path)
    folder.write("services/default.yaml", f"{CHANNELS}encrypt_fields: [custom_details.password]\n{more}")

    problem = folder.problem(WITH_KEY)

    assert f"services/default.yaml:3: {where}: looks at the label" in problem
    assert "this service encrypts it (encrypt_fields); mend: ask for another label" in problem


def test_an_inhibition_that_looks_at_it_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/default.yaml", f"{CHANNELS}encrypt_fields: [custom_details.labels.customer]")
    folder.write("pagerduty.yaml", "inhibition:\n- {name: i, source: [a=b], target: [c=d],\n   equal: [customer]}")

    problem = folder.problem(WITH_KEY)

    assert "pagerduty.yaml:3: inhibition[0].equal[0]: looks at the label 'customer', but service 'default'" in problem


@pytest.mark.parametrize(
    ("field", "label", "is_hidden"),
    [
        ("custom_details", "anything", True),
        ("custom_details", "severity", False),
        ("custom_details.*", "anything", True),
        ("custom_details.labels", "anything", True),
        ("custom_details.a.b", "a", False),
        ("custom_details.a.b", "b", False),
        ("custom_details.password", "Password", True),
        ("links", "links", False),
    ],
)
def test_which_labels_a_field_hides(field: str, label: str, *, is_hidden: bool) -> None:
    assert hides([field], label) is is_hidden
