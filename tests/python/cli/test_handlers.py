"""Where handlers come from: --handlers, or [tool.tasker] of a pyproject.toml."""

import sys
from pathlib import Path

import pytest
from cli.workplace import ONE_STEP, Workplace

from tasker_core.cli.exit import CommandError
from tasker_core.cli.handlers import modules_of

GREET = """
from tasker_core.step_handler import step_handler

@step_handler("greet")
def greet():
    return {"said": "from the project"}
"""


def test_pyproject_of_a_folder_above_names_the_handlers(workplace: Workplace) -> None:
    workplace.write("pyproject.toml", '[tool.tasker]\nhandlers = ["shop.steps"]\n')
    workplace.write("shop/__init__.py", "")
    workplace.write("shop/steps.py", GREET)
    workplace.write("flows/deep/greeting.yaml", ONE_STEP)
    inside = Workplace(workplace.folder / "flows" / "deep")
    done = inside.run("run", "greeting.yaml")
    assert done.returncode == 0, done.stderr
    assert "from the project" in done.stdout


def test_the_command_line_wins(workplace: Workplace) -> None:
    workplace.write("pyproject.toml", '[tool.tasker]\nhandlers = ["absent"]\n')
    workplace.template(ONE_STEP)
    workplace.write("handlers.py", GREET)
    assert workplace.run_template().returncode == 0
    without = workplace.run("run", "template.yaml")
    assert without.returncode == 2
    assert "there is no module `absent`" in without.stderr


def test_modules_are_found_in_the_current_folder_by_the_installed_command_too(
    workplace: Workplace,
) -> None:
    workplace.template(ONE_STEP)
    workplace.write("handlers.py", GREET)
    # As the script that an installer makes: its own folder is where Python looks, not the user's.
    script = workplace.write(
        "bin/tasker", "import sys\nfrom tasker_core.cli import main\nsys.exit(main())\n"
    )
    import subprocess

    done = subprocess.run(
        [sys.executable, str(script), "run", "template.yaml", "--handlers", "handlers"],
        cwd=workplace.folder,
        env=workplace.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.tasker]\nhandlers = 3\n", "is a list of names"),
        ("[tool.tasker]\nhandlers = [1]\n", "is a list of names"),
        ("[tool.tasker]\nhandlers = [\n", "is not TOML"),
    ],
)
def test_a_setting_that_cannot_be_read(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(text)
    with pytest.raises(CommandError, match=said):
        modules_of(file)


def test_no_setting_is_no_module(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[project]\nname = 'shop'\n")
    assert modules_of(file) == []
    assert modules_of(tmp_path / "absent.toml") == []
