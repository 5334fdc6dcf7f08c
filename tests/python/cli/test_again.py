"""Running the same command again: an unfinished task goes on, a failed one asks what to do."""

import os
import signal

from cli.workplace import ONE_STEP, PATIENCE, TWO_STEPS, Workplace

# Each handler says in a file that it ran; the second meets the test where the file `meet` is.
HANDLERS = """
    def log(name):
        with open("ran", "a") as file:
            file.write(name + "\\n")

    @step_handler("first")
    def first():
        log("first")
        return {"answer": 42}

    @step_handler("second")
    @depends_on(before="first")
    def second(before):
        log("second")
        if os.path.exists("meet"):
            open("meet", "w").write("here")
            open("go").read()
        return {"seen": before["answer"]}
"""


def test_a_killed_run_goes_on_where_it_was(workplace: Workplace) -> None:
    workplace.template(TWO_STEPS)
    workplace.handlers(HANDLERS)
    meeting = workplace.fifo("meet")
    workplace.fifo("go")
    process = workplace.start_template()
    meeting.await_handler(process)
    process.kill()
    assert process.wait(PATIENCE) == -signal.SIGKILL
    os.unlink(meeting.path)

    again = workplace.run_template()
    assert again.returncode == 0
    assert "1 of 2 steps complete" in again.stderr
    assert '"seen": 42' in again.stdout
    assert workplace.lines("ran") == ["first", "second", "second"]


def test_a_killed_run_is_the_same_task(workplace: Workplace) -> None:
    workplace.template(TWO_STEPS)
    workplace.handlers(HANDLERS)
    meeting = workplace.fifo("meet")
    workplace.fifo("go")
    process = workplace.start_template("--context", '{"a": 1, "b": 2}')
    meeting.await_handler(process)
    process.kill()
    process.wait(PATIENCE)
    os.unlink(meeting.path)

    # Another context is another task, and --new is another in any case.
    for arguments in (["--context", '{"a": 1}'], ["--context", '{"a": 1, "b": 2}', "--new"]):
        other = workplace.run_template(*arguments)
        assert other.returncode == 0
        assert "1 other unfinished task in tasker.db was left alone" in other.stderr
        assert "Going on" not in other.stderr


def test_a_key_order_of_the_context_makes_no_other_task(workplace: Workplace) -> None:
    workplace.template(TWO_STEPS)
    workplace.handlers(HANDLERS)
    meeting = workplace.fifo("meet")
    workplace.fifo("go")
    process = workplace.start_template("--context", '{"a": 1, "b": 2}')
    meeting.await_handler(process)
    process.kill()
    process.wait(PATIENCE)
    os.unlink(meeting.path)
    document = workplace.document("--context", '{"b": 2, "a": 1}')
    assert document["continued"] is True
    assert document["steps"]["first"]["attempts"] == 1
    assert document["state"] == "complete"


def test_a_complete_task_is_followed_by_another(workplace: Workplace) -> None:
    workplace.template(TWO_STEPS)
    workplace.handlers(HANDLERS)
    one, two = workplace.document(), workplace.document()
    assert one["task_uuid"] != two["task_uuid"]
    assert two["continued"] is False
    assert workplace.lines("ran") == ["first", "second"] * 2


def test_a_failed_task_asks_for_new(workplace: Workplace) -> None:
    workplace.template(ONE_STEP.replace("timeout", "retry: {max_attempts: 1}, timeout"))
    workplace.handlers("""
        @step_handler("greet")
        def greet():
            open("ran", "a").write("greet\\n")
            if not os.path.exists("mended"):
                raise ValueError("no such name")
    """)
    failed = workplace.document()
    again = workplace.run_template()
    assert again.returncode == 1
    assert "--new" in again.stderr
    assert "failed in an earlier run" in again.stderr
    assert "no such name" in again.stdout
    assert failed["task_uuid"] in again.stdout
    assert workplace.lines("ran") == ["greet"]

    workplace.write("mended", "")
    new = workplace.run_template("--new")
    assert new.returncode == 0
    assert failed["task_uuid"] not in new.stdout
    assert workplace.lines("ran") == ["greet", "greet"]
    # The new one is what the next run looks at.
    assert workplace.run_template().returncode == 0


def test_a_database_that_another_run_has_open_is_an_error(workplace: Workplace) -> None:
    workplace.template(TWO_STEPS)
    workplace.handlers(HANDLERS)
    meeting = workplace.fifo("meet")
    go = workplace.fifo("go")
    process = workplace.start_template()
    meeting.await_handler(process)
    other = workplace.run_template()
    assert other.returncode == 2
    assert f"tasker.db is in use by process {process.pid}" in other.stderr
    go.let_go()
    assert process.wait(PATIENCE) == 0
