"""An engine on every back end."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import MakeEngine, handler_module

from tasker_core import Engine

# A shell starts background jobs deaf to Ctrl-C, and children inherit that; tests of it need ears.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=["memory", "fast", "full"])
def make_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeEngine]:
    """Makes engines on one back end after another; all are stopped when the test ends."""
    made: list[Engine] = []

    def make(*handlers: Any, **options: Any) -> Engine:
        options.setdefault("durability", request.param)
        module = handler_module(*handlers) if handlers else None
        engine = Engine(tmp_path / "tasker.db", handlers=[module] if module else [], **options)
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.stop(timeout=5)
