"""Examples are started as people start them: as programs, in a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

# What Bazel sets for a test and users don't: their folder, and no imports from a script's own.
BAZEL_ONLY = ("BUILD_WORKING_DIRECTORY", "PYTHONSAFEPATH")
ROOT = Path(__file__).parents[2]

# For the tests here and the programs that they start.
sys.path.insert(0, str(ROOT))


class Finished(NamedTuple):
    """A program that came to its end."""

    code: int
    output: str
    errors: str

    @property
    def report(self) -> dict[str, Any]:
        """What `--json` printed."""
        report: dict[str, Any] = json.loads(self.output)
        return report


class Example:
    """Starts programs of examples/ in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(
        self, *arguments: str, variables: Mapping[str, str], pass_fds: Sequence[int] = ()
    ) -> subprocess.Popen[str]:
        """Start Python with these arguments."""
        given = [os.path.abspath(one) for one in os.environ.get("PYTHONPATH", "").split(":") if one]
        path = os.pathsep.join([str(ROOT), *given])
        kept = {key: value for key, value in os.environ.items() if key not in BAZEL_ONLY}
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": path, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=pass_fds,
        )

    def run(self, *arguments: str, **variables: str) -> Finished:
        """Start Python with these arguments and wait for its end."""
        program = self.start(*arguments, variables=variables)
        output, errors = program.communicate()
        return Finished(program.returncode, output, errors)


StartIn = Callable[[Path], Example]


@pytest.fixture(scope="session")
def start_in() -> StartIn:
    """Start examples in a folder that the test names."""
    return Example


@pytest.fixture
def example(tmp_path: Path) -> Example:
    """A folder of its own to start examples in."""
    return Example(tmp_path)
