"""The check that no source is left out says which one is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def forgotten(sources: list[str], claimed: list[str]) -> tuple[int, str]:
    check = ["tools/lint/main.py", "every_source_has_a_target"]
    result = subprocess.run(
        [sys.executable, *check, "--sources", *sources, "--claimed", *claimed],
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stderr


def test_all_claimed_is_green() -> None:
    files = ["tests/a/test_a.py", "rust/engine/src/lib.rs"]
    assert forgotten([*files, "python/tasker_core/client.py"], files) == (0, "")


@pytest.mark.parametrize("file", ["examples/x/test_x.py", "rust/engine/benches/replay.rs"])
def test_a_file_that_no_target_names_fails(file: str) -> None:
    code, message = forgotten([file, "tests/a/test_a.py"], ["tests/a/test_a.py"])
    assert code == 1
    assert message.startswith(f"{file}: no target names this file")


@pytest.mark.parametrize(("sources", "claimed"), [([], ["test_a.py"]), (["test_a.py"], [])])
def test_nothing_to_check_fails(sources: list[str], claimed: list[str]) -> None:
    assert forgotten(sources, claimed)[0] != 0


def test_a_rust_file_that_no_crate_compiles_fails(tmp_path: Path) -> None:
    src = tmp_path / "src"
    (src / "state").mkdir(parents=True)
    files = [
        "lib.rs",
        "declared.rs",
        "orphan.rs",
        "state/mod.rs",
        "state/step.rs",
        "state/lost.rs",
        "state/step_tests.rs",
    ]
    for file in files:
        (src / file).touch()
    (src / "lib.rs").write_text("pub mod declared;\nmod state;\n")
    (src / "state/step.rs").write_text('#[path = "step_tests.rs"]\nmod tests;\n')
    (src / "state/mod.rs").write_text("pub(crate) mod step;\n// mod lost;\n")
    paths = [str(src / file) for file in files]
    code, message = forgotten(paths, paths)
    assert code == 1
    assert [line.split(":")[0] for line in message.splitlines()] == [
        str(src / "orphan.rs"),
        str(src / "state/lost.rs"),
    ]
