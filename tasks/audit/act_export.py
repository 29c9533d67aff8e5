"""Acts as files: JSON Lines, or CSV that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, get_args

from pydantic import BaseModel, Field

from tasks.utils.error_handler import PermanentError
from tasks.utils.files import PRIVATE_FILE, PRIVATE_FOLDER, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tasks.audit.act_models import ActView

Format = Literal["jsonl", "csv"]
COLUMNS: Final = (
    "at", "begun_at", "outcome", "action", "object", "actor_kind", "actor", "origin", "correlation", "detail", "id", "source",
)  # fmt: skip
FORMULA: Final = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
)  # what a spreadsheet takes for one; also behind an apostrophe it is only shown


class ExportReport(BaseModel):
    """What an export wrote."""

    file: str = Field("", description="Where it lies, on the machine that wrote it; empty where it was printed.")
    acts: int = 0
    bytes: int = 0
    sha256: str = Field("", description="Of what was written.")


class Exporter:
    """Writes acts to a binary stream as they come, and counts."""

    def __init__(self, target: BinaryIO, form: str) -> None:
        if form not in get_args(Format):
            raise PermanentError(f"there is no format {form!r}; there are {', '.join(get_args(Format))}")
        self.report = ExportReport()
        self._target = target
        self._digest = hashlib.sha256()
        self._line = _csv_line if form == "csv" else _json_line
        if form == "csv":
            self._put(_csv(COLUMNS))

    def write(self, acts: Iterable[ActView]) -> ExportReport:
        """Write them all; the report counts what was written so far."""
        for act in acts:
            self._put(self._line(act))
            self.report.acts += 1
        self.report.sha256 = self._digest.hexdigest()
        return self.report

    def _put(self, data: bytes) -> None:
        self._target.write(data)
        self._digest.update(data)
        self.report.bytes += len(data)


def export_to(path: Path, acts: Iterable[ActView], form: str) -> ExportReport:
    """Write the acts to a file only its owner reads; it is there whole, or not at all. OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    part = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb") as file:
        report = Exporter(file, form).write(acts)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)
    return report.model_copy(update={"file": str(path)})


def _json_line(act: ActView) -> bytes:
    return act.model_dump_json().encode() + b"\n"


def _csv_line(act: ActView) -> bytes:
    fields = act.model_dump(mode="json")
    fields["detail"] = json.dumps(act.detail, separators=(",", ":"), ensure_ascii=False) if act.detail else ""
    return _csv([_shown(fields[name]) for name in COLUMNS])


def _shown(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _csv(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()
