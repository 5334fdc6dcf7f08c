"""How a run of CI ends: nothing that died, or ran nothing, may look green."""

from pathlib import Path

import pytest

from tools.ci.reports import Count
from tools.ci.summary import count_part, main, summary

PASSING = "<testsuite><testcase/><testcase/></testsuite>"
FAILING = "<testsuite><testcase/><testcase><failure/></testcase></testsuite>"
CARGO = "test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured"


def part(
    reports: Path, name: str, status: int | None = 0, *, has_tests: bool = True, **files: str
) -> Path:
    folder = reports / name
    folder.mkdir()
    for file, text in files.items():
        (folder / file.replace("_xml", ".xml")).write_text(text)
    if status is not None:
        (folder / "status").write_text(f"{status}\n")
    (folder / "seconds").write_text("90\n")
    if has_tests:
        (folder / "has_tests").touch()
    return folder


def test_the_reports_of_a_part_add_up(tmp_path: Path) -> None:
    folder = part(tmp_path, "1-a", a_xml=PASSING, b_xml=PASSING)
    assert count_part(folder) == Count(passed=4)


def test_cargo_output_counts_where_there_is_no_report(tmp_path: Path) -> None:
    assert count_part(part(tmp_path, "1-cargo", log=CARGO)) == Count(passed=7)
    both = part(tmp_path, "2-both", log=CARGO, a_xml=PASSING)
    assert count_part(both) == Count(passed=2)


def test_a_part_that_died_after_green_reports_is_a_failed_test(tmp_path: Path) -> None:
    assert count_part(part(tmp_path, "1-a", 137, a_xml=PASSING)) == Count(passed=2, failed=1)


def test_a_failed_case_is_not_counted_twice(tmp_path: Path) -> None:
    assert count_part(part(tmp_path, "1-a", 1, a_xml=FAILING)) == Count(passed=1, failed=1)


def test_a_part_that_ran_no_test_is_a_failed_test(tmp_path: Path) -> None:
    assert count_part(part(tmp_path, "1-a", log="all well")) == Count(failed=1)


def test_a_part_that_never_ended_is_a_failed_test(tmp_path: Path) -> None:
    assert count_part(part(tmp_path, "1-a", None, a_xml=PASSING)) == Count(passed=2, failed=1)


def test_preparation_counts_only_when_it_fails(tmp_path: Path) -> None:
    assert count_part(part(tmp_path, "1-set-up", has_tests=False)) == Count()
    failed = part(tmp_path, "2-set-up", 1, has_tests=False)
    assert count_part(failed) == Count(failed=1)


def test_the_last_line_counts_all_and_the_minutes_stand_above(tmp_path: Path) -> None:
    part(tmp_path, "1-set-up", has_tests=False)
    part(tmp_path, "2-python tests", 1, a_xml=FAILING)
    part(tmp_path, "3-rust tests", log=CARGO)
    text, total = summary(tmp_path)
    assert text.splitlines()[-1] == "8 passed, 1 failed"
    assert "python tests                     1.5       1       1       0" in text.splitlines()
    assert total == Count(8, 1)


def test_skipped_tests_are_said(tmp_path: Path) -> None:
    part(tmp_path, "1-a", a_xml="<testsuite><testcase/><testcase><skipped/></testcase></testsuite>")
    assert summary(tmp_path)[0].splitlines()[-1] == "1 passed, 0 failed, 1 skipped"


def test_the_exit_code_follows_the_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["summary", str(tmp_path)])
    assert main() == 1, "a run without any part is not green"
    part(tmp_path, "1-a", a_xml=PASSING)
    assert main() == 0
    part(tmp_path, "2-b", 1)
    assert main() == 1
    assert capsys.readouterr().out.endswith("2 passed, 1 failed\n")
