"""What is in the wheel that people install."""

import base64
import csv
import hashlib
import io
import re
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from zipfile import ZipFile

import pytest
from elftools.elf.elffile import ELFFile
from packaging.utils import parse_wheel_filename

from tools.wheel.platform_tag import platform_tag

MEBIBYTE = 1024 * 1024
EXTENSION = "tasker_core/_tasker_core.abi3.so"


@pytest.fixture(scope="module")
def files(wheel: Path) -> dict[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def info(files: dict[str, bytes]) -> str:
    (folder,) = {name.split("/")[0] for name in files if ".dist-info/" in name}
    return folder


@pytest.fixture(scope="module")
def metadata(files: dict[str, bytes], info: str) -> Message:
    return BytesParser().parsebytes(files[f"{info}/METADATA"])


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= 3 * MEBIBYTE


def test_every_file_is_readable_by_all_and_executable_by_none(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


def test_record_lists_every_file_with_its_hash_and_size(files: dict[str, bytes], info: str) -> None:
    def entry(content: bytes) -> tuple[str, str]:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
        return f"sha256={digest.decode()}", str(len(content))

    rows = list(csv.reader(files[f"{info}/RECORD"].decode().splitlines()))
    expected = {name: entry(content) for name, content in files.items()}
    expected[f"{info}/RECORD"] = ("", "")
    assert {name: (digest, size) for name, digest, size in rows} == expected
    assert len(rows) == len(files)


def test_the_package_is_whole(files: dict[str, bytes]) -> None:
    sources = Path("python")
    wanted = {
        path.relative_to(sources).as_posix(): path.read_bytes()
        for path in sources.glob("tasker_core/**/*")
        if path.is_file() and path.suffix not in {".so", ".pyc"}
    }
    assert {"tasker_core/__init__.py", "tasker_core/py.typed"} <= wanted.keys()
    shipped = {name: content for name, content in files.items() if name.startswith("tasker_core/")}
    assert shipped.pop(EXTENSION)
    assert shipped == wanted


def test_the_tag_is_what_the_extension_can_promise(
    wheel: Path, files: dict[str, bytes], info: str, tmp_path: Path
) -> None:
    _, _, _, (tag,) = parse_wheel_filename(wheel.name)
    assert (tag.interpreter, tag.abi) == ("cp310", "abi3")
    extension = tmp_path / "core.so"
    extension.write_bytes(files[EXTENSION])
    assert tag.platform == platform_tag(extension)
    assert f"Tag: {tag}\n" in files[f"{info}/WHEEL"].decode()


def test_the_extension_is_a_stripped_release_build(files: dict[str, bytes]) -> None:
    core = files[EXTENSION]
    sections = {section.name for section in ELFFile(io.BytesIO(core)).iter_sections()}
    assert sections.isdisjoint({".symtab", ".debug_info", ".debug_line"})
    # What an unchecked addition of a debug build says when it panics.
    assert b"attempt to add with overflow" not in core


def test_no_path_of_the_build_machine_is_in_it(files: dict[str, bytes]) -> None:
    # The sources of Rust's standard library stand under /rustc/HASH on every machine.
    paths = re.compile(rb"/(?:home|root|work|Users|private|execroot|tmp/[\w.-]+)/[\w./-]+")
    for name, content in files.items():
        if name.endswith(".so"):
            assert paths.findall(content) == []


def test_the_metadata_carries_licences_scripts_and_readme(
    metadata: Message, files: dict[str, bytes], info: str
) -> None:
    assert metadata["Metadata-Version"] == "2.4"
    assert metadata["License-Expression"] == "MIT"
    licences = metadata.get_all("License-File")
    assert licences == ["LICENSE", "THIRD_PARTY_LICENSES.txt"]
    for name in licences:
        assert files[f"{info}/licenses/{name}"] == Path(name).read_bytes()
    assert b"tasker=tasker_core.cli:main\n" in files[f"{info}/entry_points.txt"]
    # As bytes: the parser takes what is not decoded for ASCII.
    readme = metadata.get_payload(decode=True)
    assert isinstance(readme, bytes)
    assert readme.strip() == Path("README.md").read_bytes().strip()


@pytest.mark.parametrize(
    "library",
    ["pyo3", "libsqlite3-sys", "tokio", "The Rust standard library"],
)
def test_the_notices_name_what_is_linked(files: dict[str, bytes], info: str, library: str) -> None:
    notices = files[f"{info}/licenses/THIRD_PARTY_LICENSES.txt"].decode()
    assert re.search(rf"^(.*, )?{library}[ ,]", notices, re.MULTILINE)
