"""A folder in which the command `tasker` is run as a user runs it: in a process of its own."""

import importlib
import json
import logging
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from textwrap import dedent
from typing import Any

from tasker_core.cli import main

# What most commands import: a process that is forked has it already, which saves it half a second.
for _module in ("tasker_core.cli.app", "tasker_core.cli.session", "tasker_core.cli.summary"):
    importlib.import_module(_module)
_FORK = multiprocessing.get_context("fork")

# Far more than anything takes, and less than a test may.
PATIENCE = 40.0

ONE_STEP = """
name: greeting
steps:
  - {name: greet, handler: {callable: greet}, timeout_seconds: 30}
"""

TWO_STEPS = """
name: orders
steps:
  - {name: first, handler: {callable: first}, timeout_seconds: 60}
  - {name: second, handler: {callable: second}, dependencies: [first], timeout_seconds: 60}
"""


class Workplace:
    """A folder with a template, a module of handlers and a database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[str]] = []
        dropped = ("BUILD_WORKING_DIRECTORY", "FORCE_COLOR", "NO_COLOR", "COLUMNS", "TASKER_ENV")
        self.environment = {name: os.environ[name] for name in os.environ if name not in dropped}
        # A debug build that was installed says so in a line.
        self.environment["PYTHONWARNINGS"] = "ignore"
        self.environment["PYTHONUTF8"] = "1"

    def write(self, name: str, text: str) -> Path:
        """Write a file, and the folders above it."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
        return file

    def handlers(self, code: str) -> None:
        """Write the module `handlers`."""
        start = "import os, sys\nfrom tasker_core.step_handler import *\n"
        self.write("handlers.py", start + dedent(code))

    def template(self, text: str) -> None:
        """Write `template.yaml`."""
        self.write("template.yaml", text)

    def run(
        self, *arguments: str, stdin: str = "", environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `tasker` to its end.

        Args:
            arguments: Of the command.
            stdin: What it reads.
            environment: More variables. Python is started anew then: they may decide how.
        """
        if environment is None:
            return self._run_forked(arguments, stdin)
        return subprocess.run(
            [sys.executable, "-m", "tasker_core", *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def _run_forked(self, arguments: Sequence[str], stdin: str) -> subprocess.CompletedProcess[str]:
        with (
            TemporaryFile("w+", encoding="utf-8") as given,
            TemporaryFile("w+", encoding="utf-8") as output,
            TemporaryFile("w+", encoding="utf-8") as errors,
        ):
            given.write(stdin)
            given.seek(0)
            streams = [file.fileno() for file in (given, output, errors)]
            process = _FORK.Process(target=self._be_tasker, args=(arguments, streams))
            process.start()
            process.join(PATIENCE)
            if process.exitcode is None:
                process.kill()
                process.join()
                raise AssertionError(f"tasker {arguments} did not end")
            for file in (output, errors):
                file.seek(0)
            return subprocess.CompletedProcess(
                arguments, process.exitcode, output.read(), errors.read()
            )

    def _be_tasker(self, arguments: Sequence[str], streams: Sequence[int]) -> None:
        """Become the command: what the process of the tests has and a new one has not goes away."""
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
        _hear_signals()
        logging.getLogger().handlers.clear()
        warnings.simplefilter("ignore")
        os.environ.clear()
        os.environ.update(self.environment)
        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder))
        sys.argv = ["tasker", *arguments]
        sys.exit(main())

    def run_template(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `template.yaml` with the module `handlers`."""
        return self.run("run", "template.yaml", "--handlers", "handlers", *arguments)

    def start_template(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `template.yaml` with the module `handlers`, and do not wait."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tasker_core", "run", "template.yaml", "--handlers", "handlers"]
            + list(arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Whoever runs the tests may have Ctrl-C ignored, which children inherit.
            preexec_fn=_hear_signals,
        )
        self._started.append(process)
        return process

    def document(self, *arguments: str) -> dict[str, Any]:
        """Run `template.yaml` with `--json`, and read what it printed."""
        loaded = json.loads(self.run_template("--json", *arguments).stdout)
        assert isinstance(loaded, dict)
        return loaded

    def fifo(self, name: str) -> "Fifo":
        """Make a FIFO in the folder, on which a handler and a test meet."""
        path = self.folder / name
        os.mkfifo(path)
        return Fifo(path)

    def lines(self, name: str) -> list[str]:
        """The lines of a file that handlers write to; none if they never did."""
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    def clean_up(self) -> None:
        """End what a failed test left running."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()


class Fifo:
    """A handler and a test wait for each other here. A handler opens it as any file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def await_handler(self, process: subprocess.Popen[str]) -> None:
        """Wait until a handler writes to it."""
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            ready, _, _ = select.select([reader], [], [], PATIENCE)
            if not ready or not os.read(reader, 100):
                process.kill()
                raise AssertionError(f"no handler came here: {process.communicate()}")
        finally:
            os.close(reader)

    def let_go(self) -> None:
        """Let a handler go on that reads it."""
        limit = time.monotonic() + PATIENCE
        while True:
            try:
                os.close(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK))
                return
            except OSError:
                # Nobody reads yet.
                assert time.monotonic() < limit, "no handler waits here"
                os.sched_yield()


def await_line(process: subprocess.Popen[str], beginning: str) -> str:
    """Read the error output up to a line that begins so."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if line.startswith(beginning):
            return line
    raise AssertionError(f"no line begins with {beginning!r}: {seen}")


def _hear_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
