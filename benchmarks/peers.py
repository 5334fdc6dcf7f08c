"""The environments that the peers are installed in, kept for the next run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# How to ask for a package's version in another interpreter.
_ASK = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"


class NotInstalledError(Exception):
    """pip could not install a peer; the message is why."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with one peer."""

    python: Path
    version: str


def cache_folder() -> Path:
    """Where environments and the files of a run are, below the user's cache folder."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "tasker_core" / "benchmarks"


def environment(package: str, also: Sequence[str] = ()) -> Environment:
    """The environment of a peer, made now if there is none.

    Raises:
        NotInstalledError: pip could not install it.
    """
    folder = cache_folder() / f"{package}-python{sys.version_info[0]}.{sys.version_info[1]}"
    python = folder / "bin" / "python"
    try:
        if not (found := _version(python, package)):
            shutil.rmtree(folder, ignore_errors=True)
            _call([os.path.realpath(sys.executable), "-m", "venv", str(folder)])
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _call([*pip, *also, package])
            found = _version(python, package)
    except (OSError, subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        # Half of one would be taken for a whole one by the next run.
        shutil.rmtree(folder, ignore_errors=True)
        raise NotInstalledError(_last_line(error)) from error
    return Environment(python, found)


def _version(python: Path, package: str) -> str:
    if not python.exists():
        return ""
    asked = subprocess.run(
        [python, "-c", _ASK, package], capture_output=True, text=True, env=clean_variables()
    )
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _call(command: Sequence[str]) -> None:
    subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=600, env=clean_variables()
    )


def clean_variables() -> dict[str, str]:
    """This process' environment variables without those that say where Python finds modules."""
    ours = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in ours}


def _last_line(error: Exception) -> str:
    said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return str(said[-1]) if said else type(error).__name__
