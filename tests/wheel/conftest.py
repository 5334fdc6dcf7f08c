"""The wheel under test: the one in the folder that the environment names."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def wheel() -> Path:
    """Return the path of the one wheel that //:wheel made."""
    (path,) = Path(os.environ["WHEEL_FOLDER"]).iterdir()
    return path
