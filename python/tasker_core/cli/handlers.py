"""Which modules `tasker run` may load handlers from."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tasker_core.cli.exit import CommandError
from tasker_core.cli.terminal import warning


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
    toml = _toml()
    if toml is None:
        warning(
            f"[tool.tasker] in {file} is read from Python 3.11 on, or where `tomli` is installed; "
            "name the modules with --handlers"
        )
        return []
    try:
        table = toml.loads(text).get("tool", {}).get("tasker", {})
    except toml.TOMLDecodeError as error:
        raise CommandError(f"{file} is not TOML: {error}") from None
    handlers = table.get("handlers", [])
    names = [handlers] if isinstance(handlers, str) else handlers
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CommandError(f'[tool.tasker] handlers in {file} is a list of names: ["shop.steps"]')
    return names


def _toml() -> Any:
    for name in ("tomllib", "tomli"):
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    return None


def _look_in(folder: Path) -> None:
    path = os.fspath(folder)
    if path not in sys.path:
        sys.path.insert(0, path)
