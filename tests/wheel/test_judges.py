"""What the tools that judge wheels say of it."""

import os
import subprocess
import sys
from pathlib import Path


def judge(*command: str) -> str:
    """Run a Python module that must be content; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        capture_output=True,
        text=True,
        check=False,
        # They are this test's dependencies, which only its own path names.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1"},
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_twine_would_upload_it(wheel: Path) -> None:
    assert "PASSED" in judge("twine", "check", "--strict", str(wheel))


def test_the_extension_keeps_to_the_stable_abi(wheel: Path) -> None:
    said = " ".join(judge("abi3audit", "--strict", "--summary", str(wheel)).split())
    assert "1 extensions scanned; 0 ABI version mismatches and 0 ABI violations" in said


def test_the_platform_tag_is_honest(wheel: Path) -> None:
    said = " ".join(judge("auditwheel", "show", str(wheel)).split())
    platform = wheel.stem.split("-")[-1]
    assert f'consistent with the following platform tag: "{platform}"' in said
