"""The program itself: help, version, where it stands, and how little it loads."""

import subprocess
import sys

from cli.workplace import ONE_STEP, Workplace

import tasker_core


def test_help_loads_neither_rich_nor_the_engine(workplace: Workplace) -> None:
    code = (
        "import sys\nfrom tasker_core.cli import main\n"
        "assert main(['--help']) == 0\n"
        "print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=workplace.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "run " in done.stdout and "graph " in done.stdout
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "typer" in loaded
    assert not loaded & {"rich", "pydantic", "asyncio"}
    assert "tasker_core.engine" not in done.stderr.split()


def test_version_names_the_package(workplace: Workplace) -> None:
    done = workplace.run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith(f"tasker {tasker_core.__version__} (")


def test_without_a_command_the_help_is_shown(workplace: Workplace) -> None:
    done = workplace.run()
    assert done.returncode == 2
    assert "Usage: tasker" in done.stdout + done.stderr


def test_an_unknown_command_is_bad_usage(workplace: Workplace) -> None:
    done = workplace.run("rnu")
    assert done.returncode == 2
    assert "rnu" in done.stderr


def test_paths_are_relative_to_where_the_user_of_bazel_run_stands(workplace: Workplace) -> None:
    place = workplace.folder / "users_folder"
    inside = Workplace(place)
    inside.template(ONE_STEP)
    inside.handlers('@step_handler("greet")\n@inputs("name")\ndef greet(name): return {"to": name}')
    inside.write("context.json", '{"name": "Ada"}')
    arguments = ["run", "template.yaml", "--handlers", "handlers", "--context", "context.json"]
    done = workplace.run(*arguments, environment={"BUILD_WORKING_DIRECTORY": str(place)})
    assert done.returncode == 0, done.stderr
    assert '"to": "Ada"' in done.stdout
    assert (place / "tasker.db").exists()
    assert not (workplace.folder / "tasker.db").exists()


def test_a_terminal_without_unicode_is_served(workplace: Workplace) -> None:
    workplace.template(ONE_STEP)
    workplace.handlers('@step_handler("greet")\ndef greet(): return {"to": "Zoë"}')
    arguments = ["run", "template.yaml", "--handlers", "handlers"]
    ascii_only = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = workplace.run(*arguments, environment=ascii_only)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert '"to": "Zo\\u00eb"' in done.stdout
