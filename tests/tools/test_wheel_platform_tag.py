"""The platform tag of an extension, read off the machine's libraries or made-up ones."""

import ctypes.util
import platform
import struct
import sys
from pathlib import Path

import pytest

from tools.wheel.platform_tag import platform_tag

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads the machine's own libraries")


def loaded_library(name: str) -> Path:
    """Find a library in this process's memory map, loading it first."""
    ctypes.CDLL(ctypes.util.find_library(name) or f"lib{name}.so")
    for line in Path("/proc/self/maps").read_text().splitlines():
        path = Path(line.split(maxsplit=5)[-1])
        if path.name.startswith(f"lib{name}"):
            return path
    raise AssertionError(f"{name} is not loaded")


def mach_o(cpu: int, *commands: bytes) -> bytes:
    """Make the start of a macOS library: a header and its load commands."""
    header = struct.pack("<8I", 0xFEEDFACF, cpu, 0, 6, len(commands), sum(map(len, commands)), 0, 0)
    return header + b"".join(commands)


@linux
def test_a_linux_library_is_tagged_with_the_newest_glibc_that_it_asks_for() -> None:
    tag = platform_tag(loaded_library("m"))
    assert tag.startswith("manylinux_2_")
    assert tag.endswith(platform.machine())
    newest = int(platform.libc_ver()[1].split(".")[1])
    assert 2 <= int(tag.split("_")[2]) <= newest


@linux
def test_a_library_that_needs_another_library_has_no_honest_tag(tmp_path: Path) -> None:
    library = tmp_path / "foreign.so"
    # The name in the table of strings is all that the loader would look for.
    library.write_bytes(
        loaded_library("m").read_bytes().replace(b"\0libc.so.6\0", b"\0libq.so.6\0")
    )
    with pytest.raises(ValueError, match=r"no manylinux wheel may expect libq\.so\.6"):
        platform_tag(library)


@pytest.mark.parametrize(
    ("version", "command", "expected"),
    [
        (0x000B0300, struct.pack("<6I", 0x32, 24, 1, 0x000B0300, 0, 0), "macosx_11_0_arm64"),
        (0x000A0C00, struct.pack("<4I", 0x24, 16, 0x000A0C00, 0), "macosx_10_12_arm64"),
    ],
)
def test_a_macos_library_is_tagged_with_the_oldest_macos(
    tmp_path: Path, version: int, command: bytes, expected: str
) -> None:
    library = tmp_path / "library.dylib"
    other = struct.pack("<4I", 0x1B, 16, version, version)
    library.write_bytes(mach_o(0x0100000C, other, command))
    assert platform_tag(library) == expected


def test_what_is_no_library_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "text.so"
    file.write_text("hello")
    with pytest.raises(ValueError, match="neither a Linux nor a 64-bit macOS library"):
        platform_tag(file)
