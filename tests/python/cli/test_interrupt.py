"""Ctrl-C: the first takes in what runs, the second gives up, and the next run goes on."""

import os
import signal

import pytest
from cli.workplace import PATIENCE, TWO_STEPS, Fifo, Workplace, await_line

HANDLERS = """
    @step_handler("first")
    def first():
        open("ran", "a").write("first\\n")
        open("meet", "w").write("here")
        open("go").read()
        return {"answer": 42}

    @step_handler("second")
    def second():
        open("ran", "a").write("second\\n")
        return {"done": True}
"""


@pytest.fixture
def meeting(workplace: Workplace) -> Fifo:
    """Where the first handler says that it runs, before it waits at `go`."""
    workplace.template(TWO_STEPS)
    workplace.handlers(HANDLERS)
    return workplace.fifo("meet")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_signal_takes_in_what_runs_and_starts_nothing_more(
    workplace: Workplace, meeting: Fifo, number: signal.Signals, code: int
) -> None:
    go = workplace.fifo("go")
    process = workplace.start_template()
    meeting.await_handler(process)
    process.send_signal(number)
    said = await_line(process, "Stopping")
    assert "1 running step (first)" in said
    go.let_go()
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert "orders is unfinished" in stdout
    assert "Run the same command again" in stderr
    assert workplace.lines("ran") == ["first"]

    again = workplace.run_template()
    assert again.returncode == 0
    assert workplace.lines("ran") == ["first", "second"]


def test_a_second_one_gives_up_at_once(workplace: Workplace, meeting: Fifo) -> None:
    go = workplace.fifo("go")
    process = workplace.start_template()
    meeting.await_handler(process)
    process.send_signal(signal.SIGINT)
    await_line(process, "Stopping")
    process.send_signal(signal.SIGINT)
    # The handler still waits, and nobody waits for it.
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "first" in stdout and "cut off" in stdout
    assert "interrupted while first ran" in stderr
    assert "Traceback" not in stderr

    os.unlink(meeting.path)
    workplace.write("meet", "")
    os.unlink(go.path)
    workplace.write("go", "")
    again = workplace.run_template()
    assert again.returncode == 0
    assert workplace.lines("ran") == ["first", "first", "second"]


def test_a_task_that_is_complete_by_then_is_not_called_unfinished(
    workplace: Workplace, meeting: Fifo
) -> None:
    go = workplace.fifo("go")
    workplace.template("name: one\nsteps:\n- {name: first, handler: {callable: first}}\n")
    process = workplace.start_template("--json")
    meeting.await_handler(process)
    process.send_signal(signal.SIGINT)
    await_line(process, "Stopping")
    go.let_go()
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert '"state": "complete"' in stdout
    assert "again" not in stderr


def test_ctrl_c_while_handlers_are_imported_has_no_traceback(
    workplace: Workplace, meeting: Fifo
) -> None:
    workplace.fifo("go")
    # Not in a file's destructor, where Python drops what a signal raises.
    workplace.handlers('os.write(os.open("meet", os.O_WRONLY), b"here")\nopen("go").read()')
    process = workplace.start_template()
    meeting.await_handler(process)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert stdout == ""
    assert stderr == "error: interrupted\n"
