"""Which modules `tasker run` may load handlers from."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tasker_core.cli.exit import CommandError


def handler_modules(given: Sequence[str]) -> list[str]:
    """The modules of `--handlers`, else those of the nearest pyproject.toml.

    The folder that they are named in is put in front of where Python looks for modules.

    Args:
        given: The values of `--handlers`.

    Returns:
        Names of modules and packages.

    Raises:
        CommandError: `[tool.tasker] handlers` can't be read.
    """
    _look_in(Path.cwd())
    if given:
        return [name for one in given for name in one.replace(",", " ").split()]
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            modules = modules_of(file)
            if modules:
                _look_in(folder)
            return modules
    return []


def modules_of(file: Path) -> list[str]:
    """`[tool.tasker] handlers` of a pyproject.toml; empty if it has none.

    Raises:
        CommandError: The file is not TOML, or the value is no list of names.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    if "tool.tasker" not in text:
        return []
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        table = tomllib.loads(text).get("tool", {}).get("tasker", {})
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{file} is not TOML: {error}") from None
    handlers = table.get("handlers", [])
    names = [handlers] if isinstance(handlers, str) else handlers
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CommandError(f'[tool.tasker] handlers in {file} is a list of names: ["shop.steps"]')
    return names


def _look_in(folder: Path) -> None:
    path = os.fspath(folder)
    if path not in sys.path:
        sys.path.insert(0, path)
