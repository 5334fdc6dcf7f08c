"""Built twice from the same sources, the wheel has the same bytes."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def output_base(bazel: Callable[..., str]) -> Iterator[Path]:
    """An empty output base; not below /tmp, which Bazel's sandbox hides from compilers."""
    cache = Path.home() / ".cache" / "tasker_core"
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="second_output_base_", dir=cache))
    yield folder
    bazel("clean", "--expunge", base=folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_second_output_base_without_any_cache_makes_the_same_wheel(
    bazel: Callable[..., str], wheel: Path, output_base: Path
) -> None:
    bazel("build", "--disk_cache=", "//:wheel", base=output_base)
    folder = bazel("info", "--disk_cache=", "bazel-bin", base=output_base)
    (second,) = Path(folder, "wheel").iterdir()
    assert second.is_relative_to(output_base)
    assert second.name == wheel.name
    # Not in the assertion: a difference of megabytes is nothing to print.
    same = second.read_bytes() == wheel.read_bytes()
    assert same, f"{second} and {wheel} differ"
