"""Finding an interpreter that runs, and not only one that is there."""

import sys
from pathlib import Path

import pytest

from tools.ci.find_python import find_python

THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose PATH and pyenv are empty folders."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_a_shim_that_refuses_gives_way_to_the_interpreter_behind_it(machine: Path) -> None:
    script(machine / "bin" / f"python{THIS}", "exit 127")
    real = machine / "pyenv" / "versions" / f"{THIS}.1" / "bin" / "python3"
    script(real, f'exec {sys.executable} "$@"')
    assert find_python(THIS) == str(real)


def test_another_version_under_the_right_name_is_not_taken(machine: Path) -> None:
    script(machine / "bin" / "python3.1", f'exec {sys.executable} "$@"')
    assert find_python("3.1") is None


def test_a_machine_without_any_has_none(machine: Path) -> None:
    assert not (machine / "bin").exists()
    assert find_python(THIS) is None
