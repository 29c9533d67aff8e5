"""What `tocsin config check` says of templates: those in the folder, and those that channels name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.errors import Problem
    from config.settings import Loaded
    from config.sources import Origin


def problems_of_templates(loaded: Loaded) -> list[Problem]:
    """Everything that is wrong with them; a broken one loses no page, but people get plain words in its place."""
    from config.errors import Problem
    from tasks.utils.template_check import has_template, template_problems

    folder = loaded.settings.config_dir / "templates"
    named, missing = set(), []
    for kind, template, origin, key in _named(loaded):
        if has_template(folder, kind, template):
            named.add((kind, template))
        else:
            missing.append(Problem(str(origin), key, f"there is no template {template!r}", _mend(folder, template)))
    return sorted([*missing, *template_problems(folder, named)], key=Problem.place)


def _named(loaded: Loaded) -> Iterator[tuple[str, str, Origin, str]]:
    for name, service in loaded.settings.services.items():
        for index, channel in enumerate(service.channels):
            if channel.template:
                origin = loaded.services[name].nearest(("channels", index, "template")).origin
                yield channel.kind, channel.template, origin, f"channels[{index}].template"


def _mend(folder: Path, template: str) -> str:
    from config.errors import did_you_mean
    from config.folders import shown

    stems = sorted({path.name.partition(".")[0] for path in folder.glob("*.j2")})
    return f"write {shown(folder)}/{template.removesuffix('.j2')}.j2" + (
        f", or: {did_you_mean(template, stems, listed=False)}" if stems else ""
    )
