"""The compiled core. Private and unstable: import from `tasker_core`.

Texts named context, result, error or metadata are JSON; times are microseconds since the Unix
epoch.
"""

from typing import Literal, TypedDict, final

from tasker_core.exceptions import TemplateProblem

DEBUG_BUILD: bool

def get_version() -> str: ...
def get_rust_version() -> str: ...
def health_check() -> bool: ...
def next_logs() -> list[tuple[int, str, str, dict[str, str | int | bool]]]:
    """Wait for log events: `(level, target, message, fields)` each."""

def to_json(value: object, *, what: str, limit: int) -> str:
    """The JSON of a value, at most `limit` bytes; raises `ConversionError` with the path of what
    has none.
    """

def parse_template(source: str, *, file: str, environment: str | None = None) -> Template:
    """Read and check a template; raises `TemplateError` with every problem."""

class _Step(TypedDict):
    name: str
    description: str | None
    kind: str
    callable: str
    method: str | None
    resolver: str | None
    initialization: str
    dependencies: list[str]
    retryable: bool
    max_attempts: int
    timeout_seconds: float | None
    line: int
    column: int

@final
class Template:
    """A workflow that was read and checked."""

    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def warnings(self) -> list[TemplateProblem]: ...
    @property
    def steps(self) -> list[_Step]: ...

@final
class Parker:
    """How a thread waits. Make it on the thread that uses it."""

    def __new__(cls, *, hears_signals: bool = False) -> Parker: ...

@final
class Run:
    """A thread's claim to carry out the steps of one task."""

    @property
    def task_uuid(self) -> str: ...

@final
class Attempt:
    """A step in the hands of a handler: what it is given, and what became of it."""

    @property
    def plan(self) -> int: ...
    @property
    def step(self) -> int:
        """The position in the template of the step that it is, or is made from."""

    @property
    def position(self) -> int:
        """The position among the task's steps: another only for the worker of a batch."""

    @property
    def step_name(self) -> str: ...
    @property
    def number(self) -> int:
        """Attempts so far that were not interrupted, this one included."""

    @property
    def serial(self) -> int:
        """Names an attempt on the event loop; 0 on a thread."""

    @property
    def task_uuid(self) -> str: ...
    @property
    def context(self) -> str: ...
    @property
    def inputs(self) -> str | None:
        """What the worker of a batch is given to do."""

    @property
    def checkpoint(self) -> str | None:
        """Where an earlier run of the handler said that it was."""

    @property
    def cancelled(self) -> bool: ...
    def workers(self) -> list[tuple[str, str]]:
        """Names and results of the workers of batches among the step's dependencies."""

    def keep(self, checkpoint: object, *, limit: int) -> bool:
        """Store how far the handler is, and answer whether it may go on, else say `interrupt`;
        after a `ConversionError` only `fail` may follow.
        """

    def interrupt(self) -> None:
        """The handler stopped where it can go on later."""

    def dependency(self, place: int) -> str | None:
        """The result of one of the step's own dependencies, by its place among them."""

    def succeed(self, result: object, metadata: object | None, *, limit: int) -> None:
        """The handler returned this; after a `ConversionError` only `fail` may follow."""

    def fail(self, error: str, *, retryable: bool, retry_after_ms: int | None = None) -> None: ...
    def give_back(self) -> None:
        """The handler was called away: the step waits until its task is resumed."""

@final
class Task:
    """A task as it stands, or stood at its end."""

    @property
    def task_uuid(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def is_final(self) -> bool: ...
    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def context(self) -> str: ...
    @property
    def created_at(self) -> int: ...
    @property
    def last_steps(self) -> list[str]: ...
    def __len__(self) -> int: ...
    def step(
        self, position: int
    ) -> tuple[str, str, int, int, int, int, str | None, str | None, str | None] | None:
        """`(name, state, attempts, started_at, finished_at, retry_at, result, error, metadata)`;
        None for a branch that was not taken.
        """

_CutShort = Literal["signal", "timeout"]

@final
class Core:
    """The worker of one engine."""

    def __new__(
        cls,
        path: str,
        *,
        durability: str,
        threads: int,
        seed: int,
        retention_seconds: float | None = None,
        retention_count: int | None = None,
    ) -> Core: ...
    def load(self, template: Template, *, idempotent: list[bool], on_loop: list[bool]) -> int: ...
    def resume_all(self, plan: int) -> int: ...
    def resume(self, plan: int, task: str) -> bool: ...
    def submit(
        self,
        plan: int,
        contexts: list[str],
        *,
        keys: list[str | None] | None = None,
        lane: str | None = None,
        run_at: int | None = None,
        priority: int = 0,
        continuable: bool = False,
    ) -> list[str]: ...
    def submit_run(
        self,
        plan: int,
        context: str,
        parker: Parker,
        *,
        key: str | None = None,
        lane: str | None = None,
        run_at: int | None = None,
        priority: int = 0,
        continuable: bool = False,
    ) -> tuple[Run, Attempt | None] | str:
        """The task and the first step that this thread may carry out, or the id of the task that
        was there already.
        """

    def take(self, parker: Parker) -> Attempt | None: ...
    def report_and_take(self, attempt: Attempt, parker: Parker) -> Attempt | None: ...
    def report_and_lend(self, attempt: Attempt) -> Attempt | None: ...
    def report(self, attempt: Attempt) -> None: ...
    def loop_descriptor(self) -> int:
        """The descriptor that is readable while there is something to collect."""

    def collect(self) -> tuple[list[Attempt], list[int]]:
        """Attempts for the event loop, and the serial numbers of those that are not wanted any
        more.
        """

    def report_from_loop(self, attempt: Attempt) -> None: ...
    def next(
        self, run: Run, *, signals: int | None = None, timeout: float | None = None
    ) -> Attempt | Task | _CutShort: ...
    def wait(
        self,
        task: str,
        parker: Parker,
        *,
        signals: int | None = None,
        timeout: float | None = None,
    ) -> Task | _CutShort: ...
    def task(self, task: str) -> Task: ...
    def find(self, plan: int, context: str) -> Task | None: ...
    def open_tasks(self) -> list[str]: ...
    def trail(self, task: str) -> list[tuple[str | None, str, str, int, int, str, str]]: ...
    def cancel(self, task: str) -> bool: ...
    def reset_step(self, task: str, step: str) -> None: ...
    def complete_step(self, task: str, step: str, result: str) -> None: ...
    def resolve_step(self, task: str, step: str) -> None: ...
    def signal(self, task: str, step: str, payload: str) -> None: ...
    def end_blocked(self, task: str, resolved: bool) -> None: ...
    def result_of(self, attempt: Attempt, step: int) -> str | None: ...
    def prune(self, seconds: float | None, count: int | None) -> int: ...
    def backup(self, path: str) -> None: ...
    def wants_thread(self, threads: int) -> bool: ...
    def counters(self) -> tuple[int, int, int, int, int, int]:
        """`(succeeded, failed, in progress, late reports, open tasks, abandoned threads)`."""

    def drain(self) -> None: ...
    def stop(self, timeout: float, parker: Parker, *, signals: int | None = None) -> int: ...
