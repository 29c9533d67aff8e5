"""Where the files of the configuration and of the state are."""

from pathlib import Path

from config.errors import Problem
from config.sources import Node, Origin
from config.variables import Variables

INSTALLED = Path(__file__).parent


def shown(path: Path) -> str:
    """A path for people: relative where it is beneath the current folder."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def find_config_dir(given: Path | None, variables: Variables) -> tuple[Path, Origin]:
    """The folder of the configuration: as given, else TOCSIN_CONFIG_DIR, else the installation's own."""
    named = variables.environ.get("TOCSIN_CONFIG_DIR")
    folder, origin = INSTALLED, Origin("default")
    if given:
        folder, origin = given, Origin("flag")
    elif named:
        folder, origin = expand_home(named, variables), Origin("environment TOCSIN_CONFIG_DIR")
    if not folder.is_dir():
        mend = "name the folder that holds pagerduty.yaml, environments and services"
        variables.report(Problem(str(origin), "config_dir", f"{folder} is not a folder", mend))
    return folder.absolute(), origin


def report_misnamed(folder: Path, variables: Variables) -> None:
    """A file *.yml would be passed over in silence: report it."""
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*/*.yml")]):
        mend = f"rename it to {path.stem}.yaml"
        variables.report(Problem(shown(path), "", "is not read: files of the configuration end in .yaml", mend))


def settle_state_dir(core: Node, variables: Variables) -> None:
    """Make state_dir a full path; without any, $XDG_STATE_HOME/tocsin or ~/.local/state/tocsin."""
    node = core.child("state_dir")
    if node is not None and isinstance(node.value, str | Path):
        core.put(("state_dir",), expand_home(str(node.value), variables).absolute(), node.origin)
        return
    state_home = Path(variables.environ.get("XDG_STATE_HOME") or "~/.local/state")
    if not state_home.is_absolute():
        state_home = expand_home("~/.local/state", variables)
    core.put(("state_dir",), state_home.absolute() / "tocsin", Origin("default"))


def expand_home(text: str, variables: Variables) -> Path:
    """A path whose leading ~ is replaced by $HOME, or by the home the system knows."""
    home = variables.environ.get("HOME")
    if home and (text == "~" or text.startswith("~/")):
        return Path(home + text[1:])
    try:
        return Path(text).expanduser()
    except RuntimeError:
        mend = "set TOCSIN_STATE_DIR (or TOCSIN_CONFIG_DIR) to a full path"
        variables.report(Problem("environment HOME", "", f"the home folder of {text} is not known", mend))
        return Path(text)
