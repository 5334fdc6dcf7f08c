"""The zip file of a wheel: the same bytes for the same input, and nothing of the machine in it."""

import os
import time
from pathlib import Path
from zipfile import ZipFile

import pytest

from tools.wheel.archive import write_wheel

NAME = "a_b-1.0-cp310-abi3-manylinux_2_34_x86_64.whl"
FILES = {"pkg/z.py": b"z = 1\n", "pkg/a.py": b"", "pkg/core.abi3.so": b"\x7fELF" * 99}
DIST_INFO = {"METADATA": b"Name: a-b\n", "licenses/LICENSE": b"free"}


def write(folder: Path, files: dict[str, bytes], dist_info: dict[str, bytes]) -> Path:
    folder.mkdir()
    write_wheel(folder / NAME, files, dist_info)
    return folder / NAME


def test_time_umask_and_order_leave_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(tmp_path / "1", FILES, DIST_INFO)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    umask = os.umask(0o077)
    try:
        backwards = (dict(reversed(part.items())) for part in (FILES, DIST_INFO))
        second = write(tmp_path / "2", *backwards)
    finally:
        os.umask(umask)
    assert first.read_bytes() == second.read_bytes()


def test_every_file_is_readable_by_all_and_executable_by_none(tmp_path: Path) -> None:
    with ZipFile(write(tmp_path / "1", FILES, DIST_INFO)) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert set(modes.values()) == {0o100644}
    assert "a_b-1.0.dist-info/RECORD" in modes


def test_the_package_comes_first_and_record_last(tmp_path: Path) -> None:
    with ZipFile(write(tmp_path / "1", FILES, DIST_INFO)) as archive:
        assert archive.namelist() == [
            "pkg/a.py",
            "pkg/core.abi3.so",
            "pkg/z.py",
            "a_b-1.0.dist-info/METADATA",
            "a_b-1.0.dist-info/licenses/LICENSE",
            "a_b-1.0.dist-info/RECORD",
        ]
