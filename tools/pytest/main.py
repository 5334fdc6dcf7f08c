"""Runs pytest on the files that a Bazel target names: the one main of every Python test.

Bazel's test protocol is answered here: where the report goes, which tests to run, sharding,
the folder for temporary files.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# What a test imports is a dependency of its target: there is no good reason for it to be missing.
UNJUSTIFIED_SKIP = re.compile(r"could not import|no module named|_tasker_core|extension", re.I)
PLUGINS = ("pytest_asyncio.plugin", "_hypothesis_pytestplugin")


def use_declared_packages_only() -> None:
    """Leave only what the target declares importable, here and in Python subprocesses."""
    installed = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    standard = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    sys.path[:] = [entry for entry in sys.path if entry not in installed]
    declared = [
        os.path.abspath(entry)
        for entry in sys.path
        if not any(entry.startswith(base) for base in standard) and not entry.endswith(".zip")
    ]
    os.environ["PYTHONPATH"] = os.pathsep.join(declared)
    os.environ["PYTHONNOUSERSITE"] = "1"


class BazelPlugin:
    """Shards, and refuses what would be green without having tested anything."""

    def __init__(self) -> None:
        self.total = int(os.environ.get("TEST_TOTAL_SHARDS", "1"))
        self.index = int(os.environ.get("TEST_SHARD_INDEX", "0"))
        self.collected = 0
        self.unjustified: list[str] = []
        if "TEST_SHARD_STATUS_FILE" in os.environ:
            Path(os.environ["TEST_SHARD_STATUS_FILE"]).touch()

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep this shard's tests: by a hash, so that a test stays where it is when others come."""
        self.collected = len(items)
        others = [i for i in items if zlib.crc32(i.nodeid.encode()) % self.total != self.index]
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if item not in others]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at why a test was skipped."""
        self._judge_skip(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Look at why a whole file was skipped."""
        self._judge_skip(report)

    def _judge_skip(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.skipped and UNJUSTIFIED_SKIP.search(str(report.longrepr)):
            self.unjustified.append(f"{report.nodeid}: {report.longrepr}")


def pytest_options() -> list[str]:
    """Translate Bazel's environment variables."""
    options = ["-c", "pyproject.toml", "--rootdir=.", "-p", "no:cacheprovider"]
    # By name: of a plugin that it finds by itself, pytest rewrites every module's assertions, which
    # for hypothesis takes a second in each test.
    options.append("--disable-plugin-autoload")
    options += [f"-p{name}" for name in PLUGINS if find_spec(name.split(".")[0])]
    if "XML_OUTPUT_FILE" in os.environ:
        options.append(f"--junitxml={os.environ['XML_OUTPUT_FILE']}")
    if "TEST_TMPDIR" in os.environ:
        options.append(f"--basetemp={os.environ['TEST_TMPDIR']}/pytest")
    if os.environ.get("TESTBRIDGE_TEST_ONLY"):
        options += ["-k", os.environ["TESTBRIDGE_TEST_ONLY"]]
    if os.environ.get("TESTBRIDGE_TEST_RUNNER_FAIL_FAST") == "1":
        options.append("-x")
    return options


def main(args: list[str]) -> int:
    """Run the tests of the files among `args`, pass the rest on, return the exit code for Bazel."""
    use_declared_packages_only()
    import pytest

    if not any(Path(arg).is_file() for arg in args):
        print(f"no test file among {args}", file=sys.stderr)
        return int(pytest.ExitCode.USAGE_ERROR)
    plugin = BazelPlugin()
    code = int(pytest.main([*pytest_options(), *args], plugins=[plugin]))
    if code == pytest.ExitCode.NO_TESTS_COLLECTED and plugin.total > 1 and plugin.collected:
        return 0  # this shard drew none: the others have them
    if plugin.unjustified:
        print("skipped, though all it needs is declared:", *plugin.unjustified, file=sys.stderr)
        return code or int(pytest.ExitCode.TESTS_FAILED)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
