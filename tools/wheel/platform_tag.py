"""Tells on which machines an extension runs, from the extension itself.

A platform tag is a promise to every installer. Written down by hand it becomes false with the next
compiler or the next build machine; here it is read off the binary: the newest symbol version that
it asks of glibc, or the oldest macOS that its linker was told of.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

# What PEP 600 lets a manylinux extension expect of the machine; anything else would have to be
# inside the wheel.
_SYSTEM_LIBRARY = re.compile(r"(lib(c|m|dl|rt|pthread|gcc_s)|ld-linux[-\w]*)\.so\.\d+")
_MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64"}
_MACHO_64, _LC_VERSION_MIN, _LC_BUILD_VERSION = 0xFEEDFACF, 0x24, 0x32
_MACHO_CPUS = {0x01000007: "x86_64", 0x0100000C: "arm64"}


def platform_tag(extension: Path) -> str:
    """Return e.g. `manylinux_2_34_x86_64` for the shared library at `extension`."""
    with extension.open("rb") as file:
        magic = file.read(4)
    if magic == b"\x7fELF":
        return _manylinux_tag(extension)
    if magic == struct.pack("<I", _MACHO_64):
        return _macos_tag(extension.read_bytes())
    raise ValueError(f"{extension}: neither a Linux nor a 64-bit macOS library")


def _manylinux_tag(extension: Path) -> str:
    with extension.open("rb") as file:
        elf = ELFFile(file)
        dynamic = elf.get_section_by_name(".dynamic")
        if not isinstance(dynamic, DynamicSection):
            raise ValueError(f"{extension}: not a shared library")
        libraries = [str(getattr(tag, "needed", "")) for tag in dynamic.iter_tags("DT_NEEDED")]
        if foreign := [name for name in libraries if not _SYSTEM_LIBRARY.fullmatch(name)]:
            raise ValueError(
                f"{extension}: no manylinux wheel may expect {', '.join(foreign)} of a machine"
            )
        versions = [
            version.name
            for section in elf.iter_sections()
            if isinstance(section, GNUVerNeedSection)
            for _, needed in section.iter_versions()
            for version in needed
        ]
        machine = _MACHINES[elf["e_machine"]]
    numbers = [
        tuple(map(int, name.split("_")[1].split(".")))
        for name in versions
        if re.match(r"GLIBC_\d", name)
    ]
    if not numbers:
        raise ValueError(f"{extension}: asks nothing of glibc, so no manylinux tag fits it")
    major, minor = max(numbers)[:2]
    return f"manylinux_{major}_{minor}_{machine}"


def _macos_tag(library: bytes) -> str:
    """Read the load commands of a Mach-O file. Not yet run on a macOS machine."""
    _, cpu, _, _, commands, _, _, _ = struct.unpack_from("<8I", library)
    offset = 32
    for _ in range(commands):
        command, size = struct.unpack_from("<2I", library, offset)
        if command in (_LC_VERSION_MIN, _LC_BUILD_VERSION):
            # LC_BUILD_VERSION names the platform before the version, the older command does not
            (version,) = struct.unpack_from(
                "<I", library, offset + (12 if command == _LC_BUILD_VERSION else 8)
            )
            major, minor = version >> 16, version >> 8 & 0xFF
            return f"macosx_{major}_{0 if major > 10 else minor}_{_MACHO_CPUS[cpu]}"
        offset += size
    raise ValueError("the library does not say which macOS it was linked for")
