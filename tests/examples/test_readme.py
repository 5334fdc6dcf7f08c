"""What README.md shows runs, and prints what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import Example

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(
    r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL
)


def block(language: str, having: str) -> str:
    """The one block of a language that holds some text."""
    (found,) = [text for kind, text in BLOCKS if kind == language and having in text]
    return found


def without_times(output: str) -> list[str]:
    """The words of an output, without durations, widths and ids: they differ from run to run."""
    output = re.sub(r"[\d.]+ m?s\b", "TIME", output)
    output = re.sub("─+", "RULE", output)
    return re.sub(r"task [0-9a-f-]{36}", "task ID", output).split()


@pytest.fixture
def tutorial(example: Example) -> Example:
    """A folder with the tutorial's files."""
    (example.folder / "signup.yaml").write_text(block("yaml", "name: signup"))
    (example.folder / "signup.py").write_text(block("python", "@step_handler"))
    return example


def test_the_first_command_prints_what_the_readme_says(example: Example) -> None:
    done = example.run("-m", "examples.sales_report")
    assert without_times(done.output) == without_times(block("", "✓ sales_report complete"))


def test_the_tutorial_runs(tutorial: Example) -> None:
    command = shlex.split(block("", "tasker run signup.yaml"))
    done = tutorial.run("-m", "tasker_core", *command[1:], "--json")
    assert done.code == 0, done.errors
    assert done.report["result"] == {"sent_to": "me@example.org"}
    attempts = {name: step["attempts"] for name, step in done.report["steps"].items()}
    assert attempts == {"create_account": 1, "send_welcome": 2}


def test_the_python_snippet_runs(tutorial: Example) -> None:
    (tutorial.folder / "snippet.py").write_text(block("python", "with Engine"))
    done = tutorial.run("snippet.py")
    assert done.code == 0, done.errors
    assert done.output == "complete {'sent_to': 'me@example.org'}\n2\n2\n2\n"
