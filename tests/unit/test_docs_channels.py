"""What docs/channels.md and the shipped files show is a configuration as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.channels import KINDS
from tests.unit.config_kit import Folder

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "channels.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
ENVIRON = {
    "SHOP_SLACK_URL": "https://hooks.slack.com/services/T0/B0/x",
    "SHOP_TEAMS_URL": "https://x.logic.azure.com/workflows/1?sig=x",
    "SHOP_HOOK_SECRET": "0123456789abcdef",
    "SMTP_PASSWORD": "x",
    "PAGERDUTY_API_KEY": "x" * 20,
    "PAGERDUTY_FROM_EMAIL": "tocsin@example.com",
    "CHECKOUT_SLACK_URL": "https://hooks.slack.com/services/T0/B0/x",
}


SERVICES = [block for block in BLOCKS if block.startswith("channels:")]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_of_the_page_can_be_used(tmp_path: Path, service: str) -> None:
    folder = Folder(tmp_path)
    (email,) = (block for block in BLOCKS if block.startswith("email:"))
    folder.write("pagerduty.yaml", email)
    folder.write("services/shop.yaml", service)

    settings = folder.load(ENVIRON)

    assert settings.services["shop"].channels[0].kind in KINDS
    assert settings.email.sender == "tocsin@example.com"


def test_every_kind_has_a_chapter() -> None:
    named = re.findall(r"^    kind: (\w+)$", "\n".join(SERVICES), re.MULTILINE)

    assert set(named) == KINDS.keys() - {"pagerduty"}
    assert all(f"| `{kind}`" in PAGE for kind in KINDS)


def test_the_shipped_examples_can_be_used_without_their_comment_signs(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name, marker in (("services/checkout.yaml", "#  "), ("pagerduty.yaml", "# ")):
        text = (ROOT / "config" / name).read_text("utf-8")
        head, _, example = text.partition("docs/channels.md")
        lines = example.splitlines(keepends=True)[1:]
        assert all(line.startswith(marker) for line in lines)
        folder.write(name, head + "\n" + "".join(line.removeprefix("# " if marker == "# " else "#") for line in lines))

    settings = folder.load({**ENVIRON, "TOCSIN_EMAIL__PASSWORD": "x"})

    assert [channel.kind for channel in settings.services["checkout"].channels] == ["pagerduty", "slack", "email"]
    assert settings.email.host == "smtp.example.com"
