"""Runs pytest on the files that a Bazel target names: the one main of every Python test.

Bazel's test protocol is answered here: the report's path, the filter, sharding, the folder for temporary files.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def forget_the_machines_packages() -> None:
    """Leave only what the target declares importable, whatever the interpreter has installed."""
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    sys.path[:] = [entry for entry in sys.path if entry not in installed]


class BazelPlugin:
    """Shards, and refuses what would be green without having tested anything."""

    def __init__(self) -> None:
        self.total = int(os.environ.get("TEST_TOTAL_SHARDS", "1"))
        self.index = int(os.environ.get("TEST_SHARD_INDEX", "0"))
        self.collected = 0
        if "TEST_SHARD_STATUS_FILE" in os.environ:
            Path(os.environ["TEST_SHARD_STATUS_FILE"]).touch()

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep this shard's tests; a hash of the name keeps a test in its shard when others come."""
        self.collected = len(items)
        mine = [i for i in items if zlib.crc32(i.nodeid.encode()) % self.total == self.index]
        if len(mine) < len(items):
            config.hook.pytest_deselected(items=[i for i in items if i not in mine])
            items[:] = mine


def main(files: list[str]) -> int:
    """Run the tests in `files` and return the exit code for Bazel."""
    forget_the_machines_packages()
    import pytest

    missing = [name for name in files if not Path(name).is_file()]
    if not files or missing:
        print(f"no test file: {missing or 'none given'}", file=sys.stderr)
        return 4
    plugin = BazelPlugin()
    options = ["-c", "pyproject.toml", "--rootdir=.", "-p", "no:cacheprovider"]
    if "XML_OUTPUT_FILE" in os.environ:
        options.append(f"--junitxml={os.environ['XML_OUTPUT_FILE']}")
    if "TEST_TMPDIR" in os.environ:
        options.append(f"--basetemp={os.environ['TEST_TMPDIR']}/pytest")
    if os.environ.get("TESTBRIDGE_TEST_ONLY"):
        options += ["-k", os.environ["TESTBRIDGE_TEST_ONLY"]]
    code = int(pytest.main([*options, *files], plugins=[plugin]))
    if code == pytest.ExitCode.NO_TESTS_COLLECTED and plugin.total > 1 and plugin.collected:
        return 0  # this shard drew none; the others have them
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
