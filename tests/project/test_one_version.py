"""The version is said once, in Cargo.toml's workspace; every other place must agree with it.

A tool that reads one of those places can't follow a reference to Cargo.toml, so each holds a copy.
"""

import re
from pathlib import Path

import pytest
import tomli

import tasker_core

VERSION = tomli.loads(Path("Cargo.toml").read_text())["workspace"]["package"]["version"]


def found(file: str, pattern: str) -> list[str]:
    """Return what the group of a pattern matches in a file, line by line; never nothing."""
    versions = re.findall(pattern, Path(file).read_text(), re.MULTILINE)
    assert versions, f"{file} no longer says its version where this test looks"
    return versions


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("MODULE.bazel", r'module\(\s*name = "tasker_core",\s*version = "(.*?)"'),
        ("tools/rust/defs.bzl", r'^ +version = "(.*?)"'),
        # The newest entry that has a number.
        ("CHANGELOG.md", r"\A(?:.|\n)*?^## \[(\d.*?)\]"),
    ],
)
def test_a_file_has_the_version(file: str, pattern: str) -> None:
    assert set(found(file, pattern)) == {VERSION}


def test_the_distribution_has_the_version() -> None:
    assert tomli.loads(Path("pyproject.toml").read_text())["project"]["version"] == VERSION


def test_cargos_lock_has_the_version() -> None:
    packages = tomli.loads(Path("Cargo.lock").read_text())["package"]
    # The crates of the workspace are those that came from nowhere.
    own = {package["name"]: package["version"] for package in packages if "source" not in package}
    assert "tasker-worker-py" in own
    assert set(own.values()) == {VERSION}


def test_the_package_and_its_core_have_the_version() -> None:
    assert tasker_core.__version__ == VERSION
    assert tasker_core.version() == VERSION
    assert tasker_core.get_version() == VERSION
    assert tasker_core.get_rust_version().startswith(f"tasker-worker-py {VERSION} (")
