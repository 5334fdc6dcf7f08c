"""`./bazelw` finds a Bazel, or installs one once, and stays out of the way."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

VERSION = "7.7.1"
FAKE = """#!/bin/sh
if [ "$1" = --version ]; then echo "bazel {version}"; else echo "{name} $PWD $*"; fi
"""
INSTALLER = """#!/bin/sh
echo run >>"$(dirname "$0")/../../runs"
mkdir -p "$1/bin" && cat >"$1/bin/bazel" <<'END' && chmod +x "$1/bin/bazel"
{bazel}END
"""


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Project:
    """A project with a bazelw, an installer that installs a fake, and a PATH without Bazel."""

    def __init__(self, base: Path) -> None:
        self.root, self.path, self.cache = base / "project", base / "path", base / "cache"
        self.root.mkdir()
        shutil.copy("bazelw", self.root / "bazelw")
        (self.root / ".bazelversion").write_text(f"{VERSION}\n")
        self.installer()

    def installer(self, version: str = VERSION) -> None:
        bazel = FAKE.format(name="installed", version=version)
        program(self.root / "tools/closed_network/install.sh", INSTALLER.format(bazel=bazel))

    def on_path(self, name: str) -> None:
        program(self.path / name, FAKE.format(name=name, version="8.0.0"))

    def start(self, *args: str, cwd: Path | None = None, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.root / "bazelw", *args],
            cwd=cwd or self.root,
            env={"PATH": f"{self.path}:/usr/bin:/bin", "XDG_CACHE_HOME": str(self.cache), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, cwd: Path | None = None, **env: str) -> tuple[int, str, str]:
        process = self.start(*args, cwd=cwd, **env)
        out, err = process.communicate()
        return process.returncode, out.strip(), err.strip()

    @property
    def installs(self) -> int:
        runs = self.root / "runs"
        return len(runs.read_text().split()) if runs.exists() else 0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_bazel_that_the_environment_names_comes_first(project: Project) -> None:
    project.on_path("bazelisk")
    project.on_path("mine")
    assert project.run("test", "//...", BAZEL="mine")[1] == f"mine {project.root} test //..."


def test_a_wrong_name_in_the_environment_is_an_error(project: Project) -> None:
    code, _, err = project.run("info", BAZEL="absent")
    assert (code, err) == (127, "bazelw: BAZEL=absent is no program")


def test_bazelisk_comes_before_bazel(project: Project) -> None:
    project.on_path("bazel")
    assert project.run("info")[1].startswith("bazel ")
    project.on_path("bazelisk")
    assert project.run("info")[1].startswith("bazelisk ")
    assert project.installs == 0


def test_without_any_it_installs_one_once_and_says_so_in_a_line(project: Project) -> None:
    code, out, err = project.run("info")
    assert (code, out) == (0, f"installed {project.root} info")
    assert len(err.splitlines()) == 1
    assert str(project.cache / "tasker_core") in err
    assert project.run("info") == (0, out, "")
    assert project.installs == 1


def test_another_installer_gets_a_folder_of_its_own(project: Project) -> None:
    project.run("info")
    (project.root / "tools/closed_network/more").touch()
    project.run("info")
    assert project.installs == 2


def test_two_at_once_install_once(project: Project) -> None:
    both = [project.start("info"), project.start("info")]
    assert [process.communicate()[0].split()[0] for process in both] == ["installed"] * 2
    assert project.installs == 1


def test_another_version_than_asked_for_is_refused_each_time(project: Project) -> None:
    project.installer(version="9.9.9")
    for _ in range(2):
        code, out, err = project.run("info")
        assert (code, out) == (1, "")
        assert "bazel 9.9.9" in err
        assert VERSION in err


def test_a_failed_installation_shows_why(project: Project) -> None:
    script = "#!/bin/sh\necho the mirror is gone >&2\nexit 3\n"
    program(project.root / "tools/closed_network/install.sh", script)
    code, _, err = project.run("info")
    assert code == 1
    assert "the mirror is gone" in err


def test_the_folder_stays_inside_the_project_and_is_the_root_from_outside(
    project: Project, tmp_path: Path
) -> None:
    project.on_path("bazel")
    below = project.root / "tests"
    below.mkdir()
    assert project.run("info", cwd=below)[1] == f"bazel {below} info"
    assert project.run("info", cwd=tmp_path)[1] == f"bazel {project.root} info"


def test_a_link_to_it_works(project: Project, tmp_path: Path) -> None:
    project.on_path("bazel")
    link = tmp_path / "link"
    os.symlink(project.root / "bazelw", link)
    run = subprocess.run([link, "info"], env={"PATH": f"{project.path}:/usr/bin:/bin"}, check=False)
    assert run.returncode == 0
