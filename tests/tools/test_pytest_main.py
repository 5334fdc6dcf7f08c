"""The pytest main must not be green where nothing was tested, and must answer Bazel's protocol."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

PASSES = "def test_a():\n    pass\n\ndef test_b():\n    pass\n"


class Main:
    """Runs tools/pytest/main.py on a file with the given source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, source: str, **env: str) -> subprocess.CompletedProcess[str]:
        file = self.folder / "test_it.py"
        file.write_text(source)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TEST", "XML"))}
        return subprocess.run(
            [sys.executable, "tools/pytest/main.py", str(file)],
            env={**inherited, **env},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def main(tmp_path: Path) -> Main:
    return Main(tmp_path)


def test_tests_that_pass_are_green(main: Main) -> None:
    assert main(PASSES).returncode == 0


def test_a_file_without_tests_fails(main: Main) -> None:
    assert main("def helper():\n    pass\n").returncode == 5


def test_a_file_that_does_not_exist_fails() -> None:
    command = [sys.executable, "tools/pytest/main.py", "test_absent.py"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 4


@pytest.mark.parametrize(
    "source",
    [
        "import pytest\n\nabsent = pytest.importorskip('absent_module')\n\n" + PASSES,
        "import pytest\n\n@pytest.mark.skip(reason='_tasker_core is not built')\n"
        "def test_a():\n    pass\n",
    ],
    ids=["a file", "a test"],
)
def test_a_skip_for_something_missing_fails(main: Main, source: str) -> None:
    result = main(source)
    assert result.returncode != 0
    assert "test_it.py" in result.stderr or result.returncode == 5


def test_a_skip_for_another_reason_is_green(main: Main) -> None:
    source = "import pytest\n\n@pytest.mark.skip(reason='macOS only')\ndef test_a():\n    pass\n"
    assert main(source).returncode == 0


def test_the_filter_selects(main: Main, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    result = main(PASSES, TESTBRIDGE_TEST_ONLY="test_b", XML_OUTPUT_FILE=str(report))
    assert result.returncode == 0
    assert [case.get("name") for case in ElementTree.parse(report).iter("testcase")] == ["test_b"]


def test_a_filter_that_matches_nothing_fails(main: Main) -> None:
    assert main(PASSES, TESTBRIDGE_TEST_ONLY="test_c").returncode == 5


def test_every_test_runs_in_exactly_one_shard(main: Main, tmp_path: Path) -> None:
    source = "".join(f"def test_{n}():\n    pass\n\n\n" for n in range(7))
    ran = []
    for index in range(3):
        report, status = tmp_path / f"{index}.xml", tmp_path / f"{index}.status"
        result = main(
            source,
            TEST_TOTAL_SHARDS="3",
            TEST_SHARD_INDEX=str(index),
            TEST_SHARD_STATUS_FILE=str(status),
            XML_OUTPUT_FILE=str(report),
        )
        assert result.returncode == 0
        assert status.exists()
        ran += [case.get("name") for case in ElementTree.parse(report).iter("testcase")]
    assert sorted(str(name) for name in ran) == [f"test_{n}" for n in range(7)]


def test_temporary_files_go_where_bazel_says(main: Main, tmp_path: Path) -> None:
    source = f"def test_a(tmp_path):\n    assert str(tmp_path).startswith({str(tmp_path)!r})\n"
    assert main(source, TEST_TMPDIR=str(tmp_path)).returncode == 0


def test_packages_of_the_machine_are_out_of_reach(main: Main) -> None:
    source = "import sys, sysconfig\ndef test_a():\n"
    source += "    assert sysconfig.get_path('purelib') not in sys.path\n"
    assert main(source).returncode == 0
