"""What a process need not pay for."""

from __future__ import annotations

import subprocess
import sys


def test_a_process_that_sends_nothing_imports_no_http_client() -> None:
    program = "import sys, tasks.runtime; print([n for n in ('httpx', 'smtplib', 'httpcore') if n in sys.modules])"

    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
