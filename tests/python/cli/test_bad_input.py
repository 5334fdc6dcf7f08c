"""What `tasker run` can't use: it says what and where, shows no secret, and exits with 2."""

import os
import sqlite3
from pathlib import Path

import pytest
from cli.workplace import ONE_STEP, TWO_STEPS, Workplace


@pytest.fixture(autouse=True)
def _shop(workplace: Workplace) -> None:
    workplace.template(ONE_STEP)
    workplace.handlers('@step_handler("greet")\ndef greet(): open("ran", "w")')


def refusal(workplace: Workplace, *arguments: str) -> str:
    """Run the template with these; it must be refused before anything ran."""
    done = workplace.run_template(*arguments)
    return refused(workplace, done.returncode, done.stdout, done.stderr)


def refused(workplace: Workplace, code: int, stdout: str, stderr: str) -> str:
    assert (code, stdout) == (2, ""), stderr
    assert "Traceback" not in stderr
    assert not (workplace.folder / "ran").exists()
    return stderr


def test_a_cycle_is_spelled_out_with_its_place(workplace: Workplace) -> None:
    workplace.template(
        TWO_STEPS.replace("{callable: first}", "{callable: a}, dependencies: [second]")
    )
    said = refusal(workplace)
    assert "first -> second -> first" in said or "second -> first -> second" in said
    assert "template.yaml:4:" in said
    assert not (workplace.folder / "tasker.db").exists()


def test_every_error_of_a_template_is_told(workplace: Workplace) -> None:
    workplace.template(
        "name: Greeting\nsteps:\n- {name: a, handler: {callable: x}, depends_on: [b]}\n"
    )
    said = refusal(workplace)
    assert "template.yaml:1:" in said
    assert "template.yaml:3:" in said
    assert said.count("error[") == 2


def test_a_template_that_is_not_there(workplace: Workplace) -> None:
    done = workplace.run("run", "absent.yaml")
    said = refused(workplace, done.returncode, done.stdout, done.stderr)
    assert said == "error: there is no template absent.yaml\n"


def test_a_template_that_is_a_folder(workplace: Workplace) -> None:
    done = workplace.run("run", ".")
    assert "is a folder" in refused(workplace, done.returncode, done.stdout, done.stderr)


def test_an_unknown_handler_is_named_with_its_step_and_a_near_one(workplace: Workplace) -> None:
    workplace.template(ONE_STEP.replace("callable: greet", "callable: gret"))
    said = refusal(workplace)
    assert "template.yaml:4: step `greet` has no handler `gret`" in said
    assert "did you mean `greet`?" in said


def test_a_dotted_handler_of_a_module_that_was_not_named(workplace: Workplace) -> None:
    workplace.template(ONE_STEP.replace("callable: greet", "callable: os.system"))
    assert "--handlers os" in refusal(workplace)


def test_a_handler_module_that_is_not_there(workplace: Workplace) -> None:
    done = workplace.run("run", "template.yaml", "--handlers", "absent")
    said = refused(workplace, done.returncode, done.stdout, done.stderr)
    assert "there is no module `absent`" in said


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_a_handler_module_that_cannot_be_imported(
    workplace: Workplace, code: str, said: str
) -> None:
    workplace.write("handlers.py", f"import os\n{code}\n")
    message = refusal(workplace)
    assert "`handlers` can't be imported" in message
    assert said in message
    assert "handlers.py:2" in message


def test_a_context_file_that_is_not_there(workplace: Workplace) -> None:
    said = refusal(workplace, "--context", "absent.json")
    assert "there is no context file absent.json" in said


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("context", "said"),
    [
        (f'{{"token": "{SECRET}"', "not JSON: line 1, column 20"),
        (f'{{"token": {SECRET}}}', "not JSON: line 1, column 11"),
        (f'["{SECRET}"]', "is an array; a context is an object"),
        (f'"{SECRET}"', "is a string; a context is an object"),
        (f'token: "{SECRET}"', "is not JSON"),
        (f'{{"token": "{SECRET}", "rate": NaN}}', "rate"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_a_context_that_is_no_json_object_is_refused_and_not_repeated(
    workplace: Workplace, context: str, said: str
) -> None:
    as_argument = refusal(workplace, "--context", context) if len(context) < 1000 else None
    file = workplace.write("context.json", context)
    as_file = refusal(workplace, "--context", file.name)
    for message in (as_argument, as_file):
        if message is not None:
            assert said in message
            assert SECRET not in message
    assert "context" in as_file


def test_a_context_without_quotes_is_not_repeated(workplace: Workplace) -> None:
    said = refusal(workplace, "--context", '{"token":', f'"{SECRET}"}}')
    assert "put quotes around JSON" in said
    assert SECRET not in said


def test_a_folder_that_cannot_be_written(workplace: Workplace) -> None:
    folder = unwritable(workplace.folder)
    said = refusal(workplace, "--db", f"{folder}/tasker.db")
    assert f"{folder}/tasker.db" in said
    assert "can't be written" in said
    assert "--db" in said


def unwritable(folder: Path) -> Path:
    """A folder in which this user makes no files; root is one who may write nearly everywhere."""
    if os.geteuid() == 0:
        return Path("/sys")
    inside = folder / "read_only"
    inside.mkdir(mode=0o555)
    return inside


def test_a_folder_that_is_not_there(workplace: Workplace) -> None:
    assert "there is no folder nowhere" in refusal(workplace, "--db", "nowhere/tasker.db")


def test_a_database_of_a_newer_version(workplace: Workplace) -> None:
    assert workplace.run_template("--db", "newer.db").returncode == 0
    (workplace.folder / "ran").unlink()
    connection = sqlite3.connect(workplace.folder / "newer.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    said = refusal(workplace, "--db", "newer.db")
    assert "newer.db was written by a newer tasker_core" in said
    assert "upgrade" in said


def test_a_file_that_is_no_database(workplace: Workplace) -> None:
    workplace.write("notes.txt", "buy milk\n" * 500)
    said = refusal(workplace, "--db", "notes.txt")
    assert "notes.txt is not a tasker_core database" in said
    assert workplace.lines("notes.txt")[0] == "buy milk"


def test_a_template_that_changed_under_its_version(workplace: Workplace) -> None:
    assert workplace.run_template().returncode == 0
    (workplace.folder / "ran").unlink()
    workplace.template(ONE_STEP.replace("30", "31"))
    said = refusal(workplace, "--new")
    assert "was changed but kept its version" in said
    assert "31" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--threads", "0"], "--threads"),
        (["--threads", "many"], "--threads"),
        (["--durability", "memory"], "--durability"),
        (["--nwe"], "--nwe"),
    ],
)
def test_an_option_that_is_wrong(workplace: Workplace, arguments: list[str], said: str) -> None:
    message = refusal(workplace, *arguments)
    assert said in message
    assert "tasker run --help" in message
