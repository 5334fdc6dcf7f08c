"""A database that can't be used: what is wrong, and what to do."""

import os
from pathlib import Path

import pytest

from tasker_core import ConversionError, DatabaseError, DatabaseVersionError, Engine


def test_the_file_is_private(tmp_path: Path) -> None:
    with Engine(tmp_path / "t.db"):
        for name in ("t.db", "t.db-wal"):
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="there is no folder .*nowhere"):
        Engine(tmp_path / "nowhere" / "t.db")


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="is a folder, not a database"):
        Engine(tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error_that_says_so() -> None:
    # Not even root makes files here.
    with pytest.raises(DatabaseError, match=r"/proc/.*db"):
        Engine("/proc/self/t.db")


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    file.write_bytes(b"not a database " * 100)
    with pytest.raises(DatabaseError, match="is not a tasker_core database"):
        Engine(file)
    assert file.read_bytes() == b"not a database " * 100


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    Engine(file).stop()
    content = bytearray(file.read_bytes())
    content[60:64] = (99).to_bytes(4, "big")  # user_version in SQLite's header
    file.write_bytes(content)
    with pytest.raises(DatabaseVersionError, match="written by a newer tasker_core .* upgrade"):
        Engine(file)


def test_a_context_that_is_no_json_is_refused_before_anything_is_written() -> None:
    with Engine(durability="memory") as engine:
        engine.load_text("name: nothing\nsteps: []\n")
        with pytest.raises(ConversionError) as raised:
            engine.submit("nothing", {"a": [1, object()]})
        assert raised.value.path == '["a"][1]'
        with pytest.raises(TypeError, match="a context is a mapping, not list"):
            engine.submit("nothing", [1])  # type: ignore[arg-type]
        assert engine.open_tasks() == []


def test_a_template_without_steps_is_complete_at_once() -> None:
    with Engine(durability="memory") as engine:
        engine.load_text("name: nothing\nsteps: []\n")
        assert engine.run("nothing").is_complete


def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    Engine(tmp_path / "t.db").stop()
    before = descriptors()
    for _ in range(5):
        Engine(tmp_path / "t.db").stop()
    assert descriptors() == before
