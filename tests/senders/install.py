"""`make senders`: fetch the foreign senders from their package registries. What cannot be had is told and left out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from functools import partial
from typing import TYPE_CHECKING

from tests.senders.cache import FOLDER, NODE_PACKAGES, PYTHON_PACKAGES, python_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def install_python(packages: tuple[str, ...], folder: Path) -> None:
    if uv := shutil.which("uv"):
        run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        run(uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *packages)
    else:
        venv.create(folder, clear=True, with_pip=True)
        run(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages)


def install_node(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    run(npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *NODE_PACKAGES)


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


def once(name: str, folder: Path, install: Callable[[], None]) -> None:
    if (folder / ".ready").exists():
        return
    sys.stderr.write(f"installing {name} ...\n")
    try:
        install()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{name} is left out: {error}\n")
        return
    (folder / ".ready").touch()


def main() -> None:
    for sender, packages in PYTHON_PACKAGES.items():
        once(sender, python_folder(sender), partial(install_python, packages, python_folder(sender)))
    once(NODE_PACKAGES[0], FOLDER / "node", partial(install_node, FOLDER / "node"))


if __name__ == "__main__":
    main()
