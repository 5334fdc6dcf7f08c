"""Both doors lead to the same package: Bazel's wheel and maturin's say the same of themselves."""

import subprocess
from collections import Counter
from configparser import ConfigParser
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def maturins(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """Build maturin's wheel; without optimisation, of which no metadata speaks."""
    folder = tmp_path_factory.mktemp("maturin")
    command = ["maturin", "build", "--profile", "dev", "--locked", "--out", str(folder)]
    subprocess.run(command, cwd=pytestconfig.rootpath, check=True)
    (wheel,) = folder.iterdir()
    return wheel


def read(wheel: Path, name: str) -> bytes:
    with ZipFile(wheel) as archive:
        (path,) = [path for path in archive.namelist() if path.endswith(f".dist-info/{name}")]
        return archive.read(path)


def headers(metadata: Message) -> Counter[tuple[str, str]]:
    def normal(name: str, value: str) -> str:
        if name == "Requires-Dist":
            return str(Requirement(value))
        if name == "Description-Content-Type":
            return value.partition(";")[0]
        return value

    return Counter((name, normal(name, value)) for name, value in metadata.items())


def test_the_metadata_is_the_same(wheel: Path, maturins: Path) -> None:
    ours, theirs = (BytesParser().parsebytes(read(path, "METADATA")) for path in (wheel, maturins))
    assert headers(ours) == headers(theirs)
    assert str(ours.get_payload()).strip() == str(theirs.get_payload()).strip()


def test_the_scripts_are_the_same(wheel: Path, maturins: Path) -> None:
    parsers = []
    for path in (wheel, maturins):
        parser = ConfigParser()
        parser.read_string(read(path, "entry_points.txt").decode())
        parsers.append(parser)
    assert parsers[0] == parsers[1]


def test_the_files_are_the_same(wheel: Path, maturins: Path) -> None:
    def names(path: Path) -> set[str]:
        with ZipFile(path) as archive:
            # maturin adds a bill of materials of its own.
            return {name for name in archive.namelist() if "/sboms/" not in name}

    assert names(wheel) == names(maturins)
