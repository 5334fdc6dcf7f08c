"""Makes a wheel from pyproject.toml and the package's files. `wheel.bzl` runs it."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.wheel.archive import write_wheel
from tools.wheel.metadata import Project
from tools.wheel.platform_tag import platform_tag
from tools.wheel.signature import sign


def build_wheel(pyproject: Path, extension: str, files: dict[str, Path], folder: Path) -> Path:
    """Write the wheel into `folder` and return its path.

    `files` maps each path inside the wheel to the file that goes there; `extension` is the path of
    the one that was compiled.
    """
    project = Project(pyproject)
    platform = platform_tag(files[extension])
    tag = f"{project.python_tag}-abi3-{platform}"
    wheel = folder / f"{project.stem}-{tag}.whl"
    contents = {name: path.read_bytes() for name, path in files.items()}
    if platform.startswith("macosx"):
        contents[extension] = sign(files[extension])
    write_wheel(wheel, contents, project.dist_info(tag))
    return wheel


def main() -> None:
    """Run one Bazel action, whose arguments may stand in a file (`@FILE`, one on a line)."""
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--pyproject", type=Path, required=True)
    parser.add_argument("--extension", required=True, metavar="NAME")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--file", action="append", default=[], metavar="NAME=PATH", dest="files")
    arguments = parser.parse_args()
    files = {name: Path(path) for name, path in (file.split("=", 1) for file in arguments.files)}
    build_wheel(arguments.pyproject, arguments.extension, files, arguments.folder)


if __name__ == "__main__":
    main()
