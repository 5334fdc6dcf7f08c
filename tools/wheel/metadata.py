"""The files of a wheel's `.dist-info` folder, made from `[project]` of pyproject.toml alone."""

from __future__ import annotations

import re
from pathlib import Path

# Not `tomllib`: a module that depends on this one may build its wheel with Python 3.10.
import tomli
from pyproject_metadata import StandardMetadata

METADATA_VERSION = "2.4"


class Project:
    """What `[project]` of one pyproject.toml says about a distribution."""

    def __init__(self, pyproject: Path) -> None:
        self._folder = pyproject.parent
        self._metadata = StandardMetadata.from_pyproject(
            tomli.loads(pyproject.read_text("utf-8")),
            project_dir=self._folder,
            metadata_version=METADATA_VERSION,
        )

    @property
    def stem(self) -> str:
        """The start of a wheel's file name, e.g. `tasker_core_py-0.1.0`."""
        return f"{self._metadata.canonical_name.replace('-', '_')}-{self._metadata.version}"

    @property
    def python_tag(self) -> str:
        """The oldest CPython that the wheel serves, e.g. `cp310`, as `requires-python` says it."""
        oldest = re.search(r">=\s*3\.(\d+)", str(self._metadata.requires_python or ""))
        if not oldest:
            raise ValueError(
                "pyproject.toml: requires-python must name the oldest Python, as in `>=3.10`"
            )
        return f"cp3{oldest[1]}"

    def dist_info(self, tag: str) -> dict[str, bytes]:
        """Return each metadata file of a wheel with this `tag`, RECORD apart, by its name."""
        files = {
            "METADATA": bytes(self._metadata.as_rfc822()),
            "WHEEL": _wheel_file(tag),
        }
        if entry_points := self._entry_points():
            files["entry_points.txt"] = entry_points
        for licence in self._metadata.license_files or []:
            files[f"licenses/{licence.as_posix()}"] = (self._folder / licence).read_bytes()
        return files

    def _entry_points(self) -> bytes:
        groups = {
            "console_scripts": self._metadata.scripts,
            "gui_scripts": self._metadata.gui_scripts,
            **self._metadata.entrypoints,
        }
        lines = []
        for group, entries in sorted(groups.items()):
            if entries:
                lines += [
                    f"[{group}]",
                    *(f"{name}={target}" for name, target in sorted(entries.items())),
                    "",
                ]
        return "\n".join(lines).encode()


def _wheel_file(tag: str) -> bytes:
    return (
        f"Wheel-Version: 1.0\nGenerator: tasker_core\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    )
