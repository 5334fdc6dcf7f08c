"""A folder to run the command in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.workplace import Workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    """An empty folder with a way to run `tasker` there."""
    place = Workplace(tmp_path)
    yield place
    place.clean_up()
