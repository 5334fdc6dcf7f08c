"""Importing the package is cheap and silent."""

import subprocess
import sys

import pytest

HEAVY = [
    "pydantic",
    "asyncio",
    "inspect",
    "logging",
    "typer",
    "rich",
    "httpx",
    "pyee",
    "dataclasses",
]


@pytest.mark.parametrize(
    "line",
    [
        "import tasker_core",
        "from tasker_core import StepHandler",
        "from tasker_core.step_handler import step_handler",
        "from tasker_core.errors import PermanentError",
    ],
)
def test_importing_prints_nothing_and_loads_nothing_heavy(line: str) -> None:
    path = [entry for entry in sys.path if entry]
    loaded = f"print(*(name for name in {HEAVY} if name in sys.modules))"
    code = f"import sys; sys.path[:0] = {path!r}; {line}; {loaded}"
    # Without site, whose .pth files may load anything. What `maturin develop` builds says so.
    quiet = "-Wignore:tasker_core is a debug build"
    done = subprocess.run(
        [sys.executable, "-S", quiet, "-c", code], capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_every_public_name_is_there() -> None:
    import tasker_core

    for name in tasker_core.__all__:
        assert getattr(tasker_core, name) is not None
    assert set(tasker_core.__all__) <= set(dir(tasker_core))
    lazy = set(tasker_core._LAZY)
    assert lazy <= set(tasker_core.__all__), "a lazy name is not public"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = tasker_core.nothing


def test_there_is_one_error_root() -> None:
    import tasker_core
    from tasker_core import errors, exceptions

    assert tasker_core.TaskerError is errors.TaskerError is exceptions.TaskerError
    for name in exceptions.__all__:
        value = getattr(exceptions, name)
        if isinstance(value, type) and issubclass(value, Exception):
            assert issubclass(value, errors.TaskerError)
