"""Runs the package's tests as its users have it: installed into a new environment of each Python.

Usage: python -m tools.ci.installed WHEEL REPORTS, with uv on PATH. The tests are copied away from
the checkout, so that nothing but the wheel can be imported.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The last one is tested where it is found; a machine that lacks one of the others is told of it.
VERSIONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
TEST_TOOLS = ["pytest", "pytest-asyncio", "hypothesis"]


def find_python(version: str) -> str | None:
    """Return an interpreter that runs: a pyenv shim on PATH may only say that it has none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), shutil.which("python3")]
    candidates += [str(path / "bin" / "python3") for path in sorted(pyenv.glob(f"{version}.*"))]
    uv = subprocess.run(
        ["uv", "python", "find", "--no-project", version],
        capture_output=True,
        text=True,
        check=False,
    )
    for path in [*candidates, uv.stdout.strip()]:
        if path and _version(path) == version:
            return path
    return None


def _version(python: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def oldest_dependencies() -> list[str]:
    """Return pins to the oldest releases that pyproject.toml's `dependencies` allow."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (block,) = re.findall(r"^dependencies = \[(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    return [pin.replace(">=", "==") for pin in re.findall(r'"(.+?)"', block)]


def test_in_new_environment(
    wheel: Path, python: str, name: str, reports: Path, pins: list[str]
) -> bool:
    """Install the wheel, and the `pins` with it, and run its tests; tell whether all passed."""
    with tempfile.TemporaryDirectory(prefix=f"tasker_core_{name}_") as temporary:
        folder = Path(temporary)
        environment, elsewhere = folder / "venv", folder / "elsewhere"
        uv = ["uv", "--quiet"]
        subprocess.run([*uv, "venv", "--python", python, str(environment)], check=True)
        install = [*uv, "pip", "install", "--python", str(environment), *TEST_TOOLS, *pins]
        subprocess.run([*install, str(wheel)], check=True)
        copy_tests(elsewhere)
        where = "import tasker_core; print(tasker_core.__file__)"
        interpreter = str(environment / "bin" / "python")
        done = subprocess.run(
            [interpreter, "-c", where], cwd=elsewhere, check=True, stdout=subprocess.PIPE, text=True
        )
        if not Path(done.stdout.strip()).is_relative_to(environment):
            raise SystemExit(f"not the installed package: {done.stdout}")
        report = f"--junitxml={reports.resolve() / name}.xml"
        pytest = [interpreter, "-m", "pytest", "-q", "-p", "no:cacheprovider", report]
        return subprocess.run(pytest, cwd=elsewhere, check=False).returncode == 0


def copy_tests(folder: Path) -> None:
    """Copy the package's tests, and what they read, but not the package."""
    for name in ("tests/python", "examples"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)


def main() -> int:
    """Test the wheel on every Python of the machine; none at all is a failure."""
    wheel, reports = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    found = {version: find_python(version) for version in VERSIONS}
    good = True
    for version, python in found.items():
        if python is None:
            print(f"!!! Python {version} is not on this machine: the wheel is NOT TESTED on it")
            continue
        print(f"Python {version}: {python}", flush=True)
        good &= test_in_new_environment(wheel, python, f"python{version}", reports, [])
    oldest = next((python for python in found.values() if python), None)
    if oldest is None:
        print("!!! No Python that the wheel serves is on this machine")
        return 1
    pins = oldest_dependencies()
    print("The oldest dependencies:", *pins, flush=True)
    good &= test_in_new_environment(wheel, oldest, "oldest_dependencies", reports, pins)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
