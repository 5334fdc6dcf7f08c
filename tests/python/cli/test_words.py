"""How durations are said."""

import pytest

from tasker_core.cli.words import count, duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.0 ms"),
        (0.00042, "0.4 ms"),
        (0.012, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (3.21, "3.2 s"),
        (59.96, "1m 00s"),
        (125, "2m 05s"),
        (3725, "1h 02m"),
        (360_000, "100h 00m"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_counts() -> None:
    assert (count(1, "step"), count(3, "step")) == ("1 step", "3 steps")
