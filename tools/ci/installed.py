"""Runs the package's tests as its users have it: installed into a new environment of each Python.

Usage: python -m tools.ci.installed WHEEL REPORTS [VERSION...], with uv on PATH. The tests are
copied away from the checkout, so that nothing but the wheel can be imported.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.ci.find_python import find_python

ROOT = Path(__file__).parents[2]
VERSIONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
TEST_TOOLS = ["pytest", "pytest-asyncio", "hypothesis"]


def oldest_dependencies() -> list[str]:
    """Return pins to the oldest releases that pyproject.toml's `dependencies` allow."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (block,) = re.findall(r"^dependencies = \[(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    return [pin.replace(">=", "==") for pin in re.findall(r'"(.+?)"', block)]


def copy_tests(folder: Path) -> None:
    """Copy the package's tests, and what they read, but not the package."""
    for name in ("tests/python", "examples"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)


def run_tests(wheel: Path, python: str, folder: Path, report: Path, pins: list[str]) -> None:
    """Install the wheel, and the `pins` with it, below `folder`, and run its tests.

    Raises:
        subprocess.CalledProcessError: it cannot be installed, or a test failed.
    """
    environment, elsewhere = folder / "venv", folder / "elsewhere"
    interpreter = str(environment / "bin" / "python")
    uv = ["uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", python, str(environment)], check=True)
    install = [*uv, "pip", "install", "--python", interpreter, *TEST_TOOLS, *pins]
    subprocess.run([*install, str(wheel)], check=True)
    copy_tests(elsewhere)
    where = "import sys, tasker_core; sys.exit(not tasker_core.__file__.startswith(sys.prefix))"
    subprocess.run([interpreter, "-c", where], cwd=elsewhere, check=True)
    pytest = ["pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report.resolve()}"]
    if pins:
        # What old releases use is newer than they are, and may have deprecated how they use it.
        pytest += ["-W", "ignore::DeprecationWarning"]
    subprocess.run([interpreter, "-m", *pytest], cwd=elsewhere, check=True)


def passes(wheel: Path, python: str, report: Path, pins: list[str]) -> bool:
    """Run the tests in a new environment that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="tasker_core_") as folder:
        try:
            run_tests(wheel, python, Path(folder), report, pins)
        except subprocess.CalledProcessError as error:
            print(f"!!! {report.stem}: {error}")
            return False
    return True


def main() -> int:
    """Test the wheel on the Pythons of the machine; none at all is a failure."""
    wheel, reports, versions = Path(sys.argv[1]).resolve(), Path(sys.argv[2]), sys.argv[3:]
    results = []
    for version in versions or VERSIONS:
        python = find_python(version)
        if python is None:
            print(f"!!! Python {version} is not on this machine: the wheel is NOT TESTED on it")
            continue
        print(f"Python {version}: {python}", flush=True)
        results.append(passes(wheel, python, reports / f"python{version}.xml", []))
        if version == VERSIONS[0]:
            # Newer Pythons are younger than those releases.
            pins = oldest_dependencies()
            print("The oldest dependencies:", *pins, flush=True)
            results.append(passes(wheel, python, reports / "oldest_dependencies.xml", pins))
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
