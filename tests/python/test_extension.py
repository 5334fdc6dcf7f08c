"""When the compiled core cannot serve, `import tasker_core` says in one line what to do."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tasker_core
from tasker_core import _extension

SOURCES = Path(_extension.__file__).parent
A_CORE = "def get_version(): return {version!r}\nDEBUG_BUILD = {debug}\n"


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A folder with a package that imports `_extension` as `tasker_core` does, and no core yet."""
    package = tmp_path / "tasker_core"
    package.mkdir()
    for name in ("_extension.py", "_version.py"):
        shutil.copy(SOURCES / name, package)
    (package / "__init__.py").write_text("from tasker_core._extension import core\n")
    return tmp_path


def import_it(folder: Path) -> tuple[int, list[str]]:
    """Import the package in `folder` and return the exit code and the lines of the error output."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import tasker_core"
    # Isolated: neither the caller's PYTHONPATH nor the current folder may bring another copy.
    done = subprocess.run(
        [sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


def put_core(folder: Path, *, version: str = tasker_core.__version__, debug: bool = False) -> None:
    (folder / "tasker_core" / "_tasker_core.py").write_text(
        A_CORE.format(version=version, debug=debug)
    )


def put_distribution(folder: Path) -> None:
    info = folder / "tasker_core_py-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: tasker-core-py\nVersion: 0.1.0\n")


def test_a_good_core_is_loaded_in_silence(installation: Path) -> None:
    put_core(installation)
    put_distribution(installation)
    assert import_it(installation) == (0, [])


def test_a_missing_core_is_an_import_error_that_says_how_to_get_one(installation: Path) -> None:
    code, lines = import_it(installation)
    assert code == 1
    assert lines[-1].startswith(f"ImportError: tasker_core has no compiled core in {installation}")
    assert "pip install tasker-core-py" in lines[-1]
    assert "maturin develop" in lines[-1]
    assert "ModuleNotFoundError" not in "".join(lines)


def test_a_core_that_does_not_load_is_named_with_the_linkers_reason(installation: Path) -> None:
    (installation / "tasker_core" / "_tasker_core.so").write_bytes(b"not a library")
    code, lines = import_it(installation)
    assert code == 1
    assert lines[-1].startswith(
        f"ImportError: tasker_core cannot load its compiled core in {installation}"
    )
    assert "_tasker_core.so" in lines[-1]


def test_a_core_of_another_version_is_an_import_error_with_both_versions(
    installation: Path,
) -> None:
    put_core(installation, version="9.8.7")
    code, lines = import_it(installation)
    assert code == 1
    assert lines[-1].startswith(
        f"ImportError: tasker_core {tasker_core.__version__} found a compiled core of version 9.8.7"
    )
    assert "--force-reinstall" in lines[-1]


def test_an_installed_debug_build_says_so_in_one_line(installation: Path) -> None:
    put_core(installation, debug=True)
    put_distribution(installation)
    code, lines = import_it(installation)
    assert code == 0
    assert len(lines) == 1
    assert lines[0].startswith("tasker_core:0: RuntimeWarning: tasker_core is a debug build")


def test_a_debug_build_that_is_not_installed_is_silent(installation: Path) -> None:
    put_core(installation, debug=True)
    assert import_it(installation) == (0, [])
