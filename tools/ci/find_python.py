"""Finds an interpreter of one version: on PATH, among pyenv's, or among uv's.

Usage: python -m tools.ci.find_python 3.12
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_TELL = "import sys; print('%d.%d' % sys.version_info[:2])"


def find_python(version: str) -> str | None:
    """Return an interpreter that runs: a pyenv shim on PATH may only say that it has none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), shutil.which("python3")]
    candidates += [str(path / "bin" / "python3") for path in sorted(pyenv.glob(f"{version}.*"))]
    candidates.append(_output("uv", "python", "find", "--no-project", version))
    for path in candidates:
        if path and _output(path, "-c", _TELL) == version:
            return path
    return None


def _output(*command: str) -> str | None:
    """Return what a command prints, or nothing if it cannot be run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


if __name__ == "__main__":
    found = find_python(sys.argv[1])
    print(f"Python {sys.argv[1]}: {found or 'none'}")
    sys.exit(0 if found else 1)
