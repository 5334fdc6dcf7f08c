"""What the compiled core has to say reaches Python's `logging`, with its fields."""

import logging
import threading

import pytest
from support import MakeEngine, template


class Collector(logging.Handler):
    """Keeps records, and tells when one with a given text came."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.found: list[logging.LogRecord] = []
        self.came = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self.text in record.getMessage():
            self.found.append(record)
            self.came.set()


def test_an_event_of_the_core_becomes_a_record_with_its_fields(make_engine: MakeEngine) -> None:
    over = threading.Event()

    def hangs() -> None:
        over.wait(30)

    collector = Collector("ran past its deadline")
    logger = logging.getLogger("tasker_core")
    logger.addHandler(collector)
    try:
        engine = make_engine(hangs)
        engine.load_text(template("hangs ! timeout_seconds: 0.01, retry: {max_attempts: 1}"))
        task = engine.run("orders").task_uuid
        assert collector.came.wait(30)
    finally:
        logger.removeHandler(collector)
        over.set()
    record = vars(collector.found[0])
    assert (record["levelname"], record["name"]) == ("WARNING", "tasker_core.engine")
    assert (record["task_uuid"], record["step"], record["attempt"]) == (task, "hangs", 1)


def test_nothing_is_printed_without_a_handler(
    make_engine: MakeEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    def one() -> None: ...

    engine = make_engine(one)
    engine.load_text(template("one"))
    assert engine.run("orders").is_complete
    assert capfd.readouterr() == ("", "")
