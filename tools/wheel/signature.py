"""Signs a macOS library again: arm64 loads none whose signature is wrong, and stripping breaks it.

Not yet run on a macOS machine.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path


def sign(library: Path) -> bytes:
    """Return the library with an ad hoc signature, which says that it is whole and not whose."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(library, folder))
        copy.chmod(0o644)  # Bazel's outputs are read-only
        subprocess.run(["/usr/bin/codesign", "--force", "--sign", "-", str(copy)], check=True)
        return copy.read_bytes()
