"""`tasker run`: what it prints, and its exit code."""

import re

import pytest
from cli.workplace import ONE_STEP, TWO_STEPS, Workplace


def test_a_complete_task_prints_its_steps_and_its_result(workplace: Workplace) -> None:
    workplace.template(TWO_STEPS)
    workplace.handlers("""
        @step_handler("first")
        @inputs("order_id")
        def first(order_id):
            return {"id": order_id}

        @step_handler("second")
        @depends_on(order="first")
        def second(order):
            return {"shipped": order["id"]}
    """)
    done = workplace.run_template("--context", '{"order_id": 7}')
    assert done.returncode == 0
    assert re.search(r"^ *first +. complete +1 +\d", done.stdout, re.M)
    assert re.search(r"^ *second +. complete +1 +\d", done.stdout, re.M)
    assert '"shipped": 7' in done.stdout
    assert "orders complete in" in done.stdout
    assert re.search(r"^  first +complete in", done.stderr, re.M)
    assert (workplace.folder / "tasker.db").stat().st_mode & 0o777 == 0o600


def test_output_that_goes_to_a_file_has_no_escape_codes(workplace: Workplace) -> None:
    workplace.template(ONE_STEP)
    workplace.handlers('@step_handler("greet")\ndef greet(): return {}')
    done = workplace.run_template()
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr


def test_the_context_may_come_from_a_file_or_the_standard_input(workplace: Workplace) -> None:
    workplace.template(ONE_STEP)
    workplace.handlers("""
        @step_handler("greet")
        @inputs("name")
        def greet(name):
            return {"greeting": f"Hello {name}"}
    """)
    workplace.write("ada.json", '{"name": "Ada"}')
    assert "Hello Ada" in workplace.run_template("--context", "ada.json").stdout
    from_stdin = ("run", "template.yaml", "--handlers", "handlers", "--context", "-")
    assert "Hello Bob" in workplace.run(*from_stdin, stdin='{"name": "Bob"}').stdout


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ('raise ValueError("no such customer")', "ValueError: no such customer"),
        ("return StepHandlerResult()", "StepHandlerResult"),
        ("return object()", "object has no form in JSON"),
        ("sys.exit(3)", "SystemExit"),
        ("raise KeyboardInterrupt", "the handler raised KeyboardInterrupt"),
    ],
)
def test_a_handler_that_fails_in_any_way_fails_its_task(
    workplace: Workplace, handler: str, said: str
) -> None:
    workplace.template(ONE_STEP.replace("timeout", "retry: {max_attempts: 1}, timeout"))
    workplace.handlers(f'@step_handler("greet")\ndef greet():\n    {handler}')
    done = workplace.run_template()
    assert done.returncode == 1
    assert re.search(r"^ *greet +. error", done.stdout, re.M)
    assert said in done.stdout
    assert "greeting failed after" in done.stdout
    assert "--new" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_failure_names_its_place_and_what_did_not_run(workplace: Workplace) -> None:
    workplace.template(TWO_STEPS.replace("timeout_seconds: 60", "retry: {retryable: false}", 1))
    workplace.handlers("""
        @step_handler("first")
        def first():
            return {}["address"]

        @step_handler("second")
        def second(): ...
    """)
    done = workplace.run_template()
    assert done.returncode == 1
    assert "Step first failed, 1 attempt:" in done.stdout
    assert "  KeyError: 'address'" in done.stdout
    assert "  at handlers.py:6 in first" in done.stdout
    assert re.search(r"^ *second +. not run", done.stdout, re.M)


def test_a_retry_is_told_and_its_attempts_are_counted(workplace: Workplace) -> None:
    retry = "retry: {max_attempts: 2, backoff: none}, timeout"
    workplace.template(ONE_STEP.replace("timeout", retry))
    workplace.handlers("""
        tried = []

        @step_handler("greet")
        def greet():
            tried.append(1)
            if len(tried) == 1:
                raise OSError("the line is dead")
            return {}
    """)
    done = workplace.run_template()
    assert done.returncode == 0
    assert re.search(r"^ *greet +. complete +2 ", done.stdout, re.M)


def test_warnings_are_told_and_are_errors_with_strict(workplace: Workplace) -> None:
    workplace.template("name: greeting\nsteps:\n- {name: greet, handler: {callable: greet}}\n")
    workplace.handlers('@step_handler("greet")\ndef greet(): return {"said": "hello"}')
    lenient = workplace.run_template()
    assert lenient.returncode == 0
    assert "template.yaml:3:" in lenient.stderr
    assert "warning[" in lenient.stderr
    strict = workplace.run_template("--strict", "--db", "other.db")
    assert strict.returncode == 2
    assert "errors with --strict" in strict.stderr
    assert strict.stdout == ""
    assert not (workplace.folder / "other.db").exists()


def test_many_warnings_of_one_kind_are_counted(workplace: Workplace) -> None:
    steps = "\n".join(f"- {{name: s{n}, handler: {{callable: greet}}}}" for n in range(10))
    workplace.template(f"name: greeting\nsteps:\n{steps}\n")
    workplace.handlers('@step_handler("greet")\ndef greet(): ...')
    done = workplace.run_template()
    assert done.returncode == 0
    assert done.stderr.count("has no `timeout_seconds`") == 3
    assert "7 more warnings" in done.stderr


def test_a_handler_with_a_timeout_that_hangs_does_not_hang_the_command(
    workplace: Workplace,
) -> None:
    hang = workplace.fifo("hang")
    workplace.template(
        ONE_STEP.replace("timeout_seconds: 30", "retry: {max_attempts: 1}, timeout_seconds: 1")
    )
    workplace.handlers(f'@step_handler("greet")\ndef greet(): open({str(hang.path)!r}).read()')
    done = workplace.run_template()
    assert done.returncode == 1
    assert "timeout" in done.stdout.lower() or "too long" in done.stdout.lower()
