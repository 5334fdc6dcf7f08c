"""Progress in a terminal."""

import os
import pty
import re
import subprocess
import sys

import pytest
from cli.workplace import PATIENCE, TWO_STEPS, Fifo, Workplace

HANDLERS = """
    @step_handler("first")
    def first():
        print("a handler speaks")
        open("meet", "w").write("here")
        open("go").read()

    @step_handler("second")
    def second():
        return {"done": True}
"""


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_sees_a_tree_that_gives_way_to_the_table(
    workplace: Workplace, no_color: bool
) -> None:
    workplace.template(TWO_STEPS)
    workplace.handlers(HANDLERS)
    meeting, go = workplace.fifo("meet"), workplace.fifo("go")
    terminal, inside = pty.openpty()
    environment = {**workplace.environment, "TERM": "xterm-256color"}
    if no_color:
        environment["NO_COLOR"] = "1"
    process = subprocess.Popen(
        [sys.executable, "-m", "tasker_core", "run", "template.yaml", "--handlers", "handlers"],
        cwd=workplace.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=inside,
        stderr=inside,
        text=True,
    )
    os.close(inside)
    seen = watch(terminal, process, meeting, go)
    assert process.wait(PATIENCE) == 0
    tree, table = seen[: seen.index("Step")], seen[seen.index("Step") :]
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", tree)
    assert "a handler speaks" in plain
    assert "0 of 2 steps" in plain
    assert re.search(r"first +running", plain)
    assert "\x1b[2K" in tree, "the tree is taken away at the end"
    assert re.search(r"second +.*complete", table)
    coloured = "\x1b[32m" in table
    assert coloured is not no_color


def watch(terminal: int, process: subprocess.Popen[str], meeting: Fifo, go: Fifo) -> str:
    """Let the first step run until the tree shows it, then read to the end."""
    seen = b""
    released = False
    meeting.await_handler(process)
    while True:
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            # The other end is closed: so Linux says it.
            break
        if not released and b"running" in seen:
            go.let_go()
            released = True
    os.close(terminal)
    return seen.decode()
