"""The checks of the sources that are tests: `main.py CHECK FILE...`, run where pyproject.toml lies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CONFIG = "pyproject.toml"
STUB = "tasker_core._tasker_core"


def python_files(names: list[str]) -> list[str]:
    """Return the Python files and stubs among `names`; none at all is a mistake of the target."""
    files = [name for name in names if name.endswith((".py", ".pyi"))]
    if not files:
        raise SystemExit("no file to check")
    return files


def ruff(*args: str) -> int:
    """Run ruff's binary, which lies beside or above its package, depending on who unpacked the wheel."""
    import ruff as package

    above = Path(package.__file__).parents
    found = [p / "bin" / "ruff" for p in above[1:3] if (p / "bin" / "ruff").is_file()]
    if not found:
        raise SystemExit(f"no ruff beside {package.__file__}")
    return subprocess.run([found[0], *args], check=False).returncode


def ruff_check(names: list[str]) -> int:
    """Hold the sources to the rules of [tool.ruff.lint]."""
    return ruff("check", "--no-cache", "--config", CONFIG, *python_files(names))


def ruff_format(names: list[str]) -> int:
    """Hold the sources to ruff's layout."""
    return ruff("format", "--check", "--diff", "--no-cache", "--config", CONFIG, *python_files(names))


def mypy(names: list[str]) -> int:
    """Check the types of all sources at once, strictly."""
    from mypy.main import main

    main(["--config-file", CONFIG, "--cache-dir=/dev/null", *python_files(names)], clean_exit=True)
    return 0  # mypy exits by itself when it found something


def stubtest(_names: list[str]) -> int:
    """Hold the hand-written stub to the extension that was built."""
    from mypy.stubtest import main

    sys.argv = ["stubtest", "--mypy-config-file", CONFIG, STUB]
    return main()


def every_source_has_a_target(args: list[str]) -> int:
    """Find test files that no test names and Rust files that no crate compiles: they would rot unseen."""
    split = args.index("--claimed")
    sources, claimed = args[1:split], set(args[split + 1 :])
    if not sources or not claimed:
        raise SystemExit("no file to check")

    def needs_target(name: str) -> bool:
        return name.endswith(".rs") or (
            Path(name).name.startswith("test_") and name.endswith(".py")
        )

    forgotten = [name for name in sources if needs_target(name) and name not in claimed]
    for name in forgotten:
        print(f"{name}: no target names this file, so nothing runs it", file=sys.stderr)
    return 1 if forgotten else 0


CHECKS: dict[str, Callable[[list[str]], int]] = {
    check.__name__: check
    for check in (every_source_has_a_target, ruff_check, ruff_format, mypy, stubtest)
}

if __name__ == "__main__":
    sys.exit(CHECKS[sys.argv[1]](sys.argv[2:]))
