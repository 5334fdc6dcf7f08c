"""What the checks of a release share. They need the network, Cargo or a second Bazel.

So Bazel cannot run them in its sandbox: `.ci/run` calls pytest, and their names do not start with
`test_`, which would ask for a Bazel target.
"""

import subprocess
from pathlib import Path
from typing import Protocol

import pytest


class Bazel(Protocol):
    """Runs Bazel and returns what it printed; `base` is another output base than the usual one."""

    def __call__(self, *command: str, base: Path | None = None) -> str: ...


@pytest.fixture(scope="session")
def bazel(pytestconfig: pytest.Config) -> Bazel:
    """Return a function that runs this project's Bazel."""

    def run(*command: str, base: Path | None = None) -> str:
        startup = [f"--output_base={base}"] if base else []
        done = subprocess.run(
            ["./bazelw", *startup, *command],
            cwd=pytestconfig.rootpath,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout.strip()

    return run


@pytest.fixture(scope="session")
def wheel(bazel: Bazel) -> Path:
    """Return the wheel that Bazel builds."""
    bazel("build", "//:wheel")
    (path,) = Path(bazel("info", "bazel-bin"), "wheel").iterdir()
    return path
