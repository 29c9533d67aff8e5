from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.backups.repository_kit import KEY, Kit

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path / "backups", KEY)


@pytest.fixture
def plain_kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path / "backups")
