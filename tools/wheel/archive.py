"""Writes the zip file that a wheel is, so that the same input gives the same bytes.

The `wheel` library lays down RECORD and the hashes. What it leaves to the machine (the time, the
mode of a file) is fixed here.
"""

from __future__ import annotations

import stat
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipInfo

from wheel.wheelfile import WheelFile  # type: ignore[import-untyped]

# The earliest time that a zip file can hold: a wheel's times mean nothing to an installer.
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = stat.S_IFREG | 0o644


class ReproducibleWheel(WheelFile):  # type: ignore[misc]
    """A `WheelFile` whose every entry, RECORD included, has one time and one mode."""

    def writestr(self, name, data, compress_type=None):  # type: ignore[no-untyped-def]
        """Write `data` under `name`, which may be a `ZipInfo` of the library's own making."""
        entry = ZipInfo(name.filename if isinstance(name, ZipInfo) else name, date_time=EPOCH)
        entry.external_attr = MODE << 16
        entry.create_system = 3  # Unix, on whatever system it is made
        entry.compress_type = ZIP_DEFLATED
        super().writestr(entry, data, compress_type)


def write_wheel(path: Path, files: dict[str, bytes], dist_info: dict[str, bytes]) -> None:
    """Write the wheel `path`: the package's `files`, then its metadata, each sorted by name.

    Both map a path inside the archive to what it holds; those of `dist_info` lie below the
    `.dist-info` folder.
    """
    with ReproducibleWheel(path, "w") as archive:
        for name in sorted(files):
            archive.writestr(name, files[name])
        for name in sorted(dist_info):
            archive.writestr(f"{archive.dist_info_path}/{name}", dist_info[name])
