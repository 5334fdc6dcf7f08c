"""The metadata of a wheel, from pyproject.toml alone."""

from pathlib import Path

import pytest

from tools.wheel.metadata import Project

PYPROJECT = """
[project]
name = "a-b"
version = "1.0"
description = "Does it"
readme = "README.md"
requires-python = ">=3.10"
license = "MIT"
license-files = ["LICENSE", "legal/*.txt"]
dependencies = ["pydantic>=2.9"]
[project.scripts]
ab = "a_b.cli:main"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "legal").mkdir()
    (tmp_path / "legal" / "others.txt").write_text("others")
    (tmp_path / "LICENSE").write_text("mine")
    (tmp_path / "README.md").write_text("# A B\n")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


def test_the_metadata_says_what_the_project_says(folder: Path) -> None:
    metadata = Project(folder / "pyproject.toml").dist_info("cp310-abi3-any")["METADATA"].decode()
    head, body = metadata.split("\n\n", 1)
    assert head.splitlines()[0] == "Metadata-Version: 2.4"
    assert {
        "Name: a-b",
        "Version: 1.0",
        "License-Expression: MIT",
        "License-File: LICENSE",
        "License-File: legal/others.txt",
        "Requires-Python: >=3.10",
        "Requires-Dist: pydantic>=2.9",
        "Description-Content-Type: text/markdown",
    } <= set(head.splitlines())
    assert body == "# A B\n"


def test_scripts_and_licences_have_their_files(folder: Path) -> None:
    files = Project(folder / "pyproject.toml").dist_info("cp310-abi3-any")
    assert files["entry_points.txt"] == b"[console_scripts]\nab=a_b.cli:main\n"
    assert files["licenses/LICENSE"] == b"mine"
    assert files["licenses/legal/others.txt"] == b"others"
    assert b"Root-Is-Purelib: false\nTag: cp310-abi3-any\n" in files["WHEEL"]


def test_the_name_and_the_python_tag_come_from_the_project(folder: Path) -> None:
    project = Project(folder / "pyproject.toml")
    assert project.stem == "a_b-1.0"
    assert project.python_tag == "cp310"


def test_a_project_that_names_no_oldest_python_is_an_error(folder: Path) -> None:
    text = PYPROJECT.replace('requires-python = ">=3.10"\n', "")
    (folder / "pyproject.toml").write_text(text)
    with pytest.raises(ValueError, match="requires-python must name the oldest Python"):
        _ = Project(folder / "pyproject.toml").python_tag
