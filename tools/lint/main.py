"""The checks of the sources: `main.py CHECK FILE...`, run where pyproject.toml lies."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile

CONFIG = "pyproject.toml"
STUB = "tasker_core._tasker_core"
ALLOWED = "tools/lint/stubtest_allowlist.txt"
# Folders in which each Rust file is a crate of its own.
ROOTS = ("benches", "bin", "examples", "fuzz_targets", "tests")


def python_files(names: list[str]) -> list[str]:
    """Return the Python files and stubs among `names`; none at all is a mistake of the target."""
    files = [name for name in names if name.endswith((".py", ".pyi"))]
    if not files:
        raise SystemExit("no file to check")
    return files


def ruff(*args: str) -> int:
    """Run ruff's binary: beside its package or above it, depending on who unpacked the wheel."""
    package = find_spec("ruff")
    if package is None or package.origin is None:
        raise SystemExit("no ruff among the target's dependencies")
    above = Path(package.origin).parents
    found = [p / "bin" / "ruff" for p in above[1:3] if (p / "bin" / "ruff").is_file()]
    if not found:
        raise SystemExit(f"no bin/ruff beside {package.origin}")
    return subprocess.run([found[0], *args], check=False).returncode


def ruff_check(names: list[str]) -> int:
    """Hold the sources to the rules of [tool.ruff.lint]."""
    return ruff("check", "--no-cache", "--config", CONFIG, *python_files(names))


def ruff_format(names: list[str]) -> int:
    """Hold the sources to ruff's layout."""
    return ruff(
        "format", "--check", "--diff", "--no-cache", "--config", CONFIG, *python_files(names)
    )


def mypy(names: list[str]) -> int:
    """Check the types of all sources at once, strictly."""
    from mypy.main import main

    options = ["--config-file", CONFIG, "--cache-dir=/dev/null"]
    main(args=[*options, *python_files(names)], clean_exit=True)
    return 0  # mypy exits by itself when it found something


def stubtest(_names: list[str]) -> int:
    """Hold the hand-written stub to the extension that was built."""
    from mypy.stubtest import main

    # The stub alone: its names, signatures and kinds are compared, and //tools/lint:mypy checks the
    # types of what it imports, which takes four times as long.
    with NamedTemporaryFile("w", suffix=".ini") as config:
        config.write("[mypy]\nstrict = true\nfollow_imports = skip\n")
        config.flush()
        options = ["--mypy-config-file", config.name, "--allowlist", ALLOWED]
        sys.argv = ["stubtest", *options, "--ignore-unused-allowlist", STUB]
        return main()


def every_source_has_a_target(args: list[str]) -> int:
    """Find tests that no target names and Rust files that no crate compiles: they would rot."""
    split = args.index("--claimed")
    sources, claimed = args[1:split], set(args[split + 1 :])
    if not sources or not claimed:
        raise SystemExit("no file to check")

    problems = []
    for name in sources:
        is_test = Path(name).name.startswith("test_") and name.endswith(".py")
        if (is_test or name.endswith(".rs")) and name not in claimed:
            problems.append(f"{name}: no target names this file, so nothing runs it")
        elif name.endswith(".rs") and not is_declared(Path(name)):
            problems.append(f"{name}: no `mod` declares this file, so no crate compiles it")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def is_declared(file: Path) -> bool:
    """Whether a Rust file is the root of a crate, or another file declares it as a module."""
    if file.name in ("lib.rs", "main.rs", "build.rs") or file.parent.name in ROOTS:
        return True
    by_path = re.compile(rf'#\[path = "([^"]*/)?{file.name}"\]')
    if any(by_path.search(beside.read_text()) for beside in file.parent.glob("*.rs")):
        return True
    module = file.parent if file.name == "mod.rs" else file.with_suffix("")
    folder = module.parent
    parents = [folder / "lib.rs", folder / "main.rs", folder / "mod.rs", folder.with_suffix(".rs")]
    if folder.parent.name in ROOTS:
        parents += folder.parent.glob("*.rs")
    by_name = re.compile(rf"^\s*(pub(\([^)]+\))? )?mod {module.name};", re.M)
    return any(by_name.search(parent.read_text()) for parent in parents if parent.is_file())


CHECKS: dict[str, Callable[[list[str]], int]] = {
    check.__name__: check
    for check in (every_source_has_a_target, ruff_check, ruff_format, mypy, stubtest)
}

if __name__ == "__main__":
    sys.exit(CHECKS[sys.argv[1]](sys.argv[2:]))
