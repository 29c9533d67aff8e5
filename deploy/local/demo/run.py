import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.local.demo.story import tell
from deploy.local.up import Options, up

CONFIG_DIR: Final = Path(__file__).parent / "config"
# The demo pages nobody, whatever the shell it is started from is set up for.
FOREIGN: Final = ("TOCSIN_", "PAGERDUTY_", "REDIS_URL", "ENVIRONMENT", "ENCRYPTION_KEY", "JWT_SECRET")


def demo(state_dir: Path | None, *, verbose: bool = False) -> int:
    """Start everything anew, tell the story on it, stop it; the exit code.

    What lasts is kept in a new folder in `state_dir`; without one it is thrown away.
    """
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    with _folder(state_dir) as folder:
        return up(Options(config_dir=CONFIG_DIR, state_dir=folder, sandbox=True, verbose=verbose), tell)


@contextmanager
def _folder(kept_in: Path | None) -> Iterator[Path]:
    """A folder in which no earlier story has left anything."""
    if kept_in is None:
        with tempfile.TemporaryDirectory(prefix="tocsin-demo-") as folder:
            yield Path(folder)
    else:
        kept_in.mkdir(parents=True, exist_ok=True)
        yield Path(tempfile.mkdtemp(prefix="demo-", dir=kept_in))
