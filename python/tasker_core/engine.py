"""The engine: templates and handlers in, durable tasks out. It runs in this process and keeps
everything in one SQLite file.
"""

import atexit
import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import ModuleType, TracebackType
from typing import Any, Literal

from tasker_core import _logs
from tasker_core._attempt import MAX_JSON_BYTES, carry_out, carry_out_on_loop
from tasker_core._extension import core as _extension
from tasker_core._handlers import HandlerCatalogue
from tasker_core._loop import EventLoopThread
from tasker_core._plan import Plan
from tasker_core._pool import HandlerPool
from tasker_core._signals import signal_descriptor
from tasker_core._tasker_core import Attempt as _Attempt
from tasker_core._template_file import read_source
from tasker_core.exceptions import (
    TaskNotFoundError,
    TemplateError,
    TemplateProblem,
)
from tasker_core.results import TaskResult, Transition, _when

__all__ = ["Engine"]

_DRAIN_SECONDS = 30.0


class Engine:
    """Runs workflows durably, in this process, with no server.

    Opening it takes up the tasks that an earlier process left unfinished, once their template is
    loaded.

    >>> template = '''
    ... name: hello
    ... steps:
    ...   - name: greet
    ...     handler: {callable: greet}
    ...     timeout_seconds: 10
    ... '''
    >>> import sys, types
    >>> from tasker_core import Engine
    >>> from tasker_core.step_handler import inputs, step_handler
    >>> module = types.ModuleType("hello_handlers")
    >>> @step_handler("greet")
    ... @inputs("name")
    ... def greet(name):
    ...     return {"greeting": f"Hello {name}"}
    >>> greet._handler_class.__module__ = "hello_handlers"
    >>> module.greet = greet
    >>> with Engine(durability="memory", handlers=[module]) as engine:
    ...     name = engine.load_text(template)
    ...     engine.run(name, {"name": "Ada"}).result
    {'greeting': 'Hello Ada'}

    Args:
        database: The SQLite file; made, with mode 0600, if there is none.
        templates: Files to load at once.
        handlers: Modules or packages to find handlers in; code of no other module is run.
        threads: How many handlers run at a time.
        durability: What an acknowledged result survives: `full` power loss, `fast` the death of the
            process, `memory` nothing (there is no file).
        resume: Whether loading a template takes up its unfinished tasks.
        retention: How long finished tasks are kept; for ever if None. Those that failures have
            blocked are kept until somebody has seen to them.
        retention_count: How many finished tasks are kept; any number if None.
        environment: Which of a template's `environments` applies; `TASKER_ENV` if None.
        seed: What the jitter of retries is drawn from; random if None.

    Raises:
        DatabaseError: The file can't be used; the message says why and what to do.
        TemplateError: A template has errors.
        HandlerNotFoundError: A step's handler is not in the modules named.
    """

    def __init__(
        self,
        database: str | os.PathLike[str] = "tasker.db",
        *,
        templates: Iterable[str | os.PathLike[str]] = (),
        handlers: Iterable[str | ModuleType] = (),
        threads: int = 10,
        durability: Literal["full", "fast", "memory"] = "full",
        resume: bool = True,
        retention: timedelta | None = timedelta(days=30),
        retention_count: int | None = None,
        environment: str | None = None,
        seed: int | None = None,
    ) -> None:
        if isinstance(handlers, str):
            handlers = [handlers]
        if isinstance(templates, (str, os.PathLike)):
            templates = [templates]
        self._catalogue = HandlerCatalogue(handlers)
        self._environment = os.environ.get("TASKER_ENV") if environment is None else environment
        self._resume = resume
        chosen = int.from_bytes(os.urandom(8), "little") if seed is None else seed & (1 << 64) - 1
        self._core = _extension.Core(
            os.fspath(database),
            durability=durability,
            threads=threads,
            seed=chosen,
            retention_seconds=_seconds(retention),
            retention_count=retention_count,
        )
        _logs.start()
        self._plans: list[Plan] = []
        self._by_name: dict[str, Plan] = {}
        self._by_short_name: dict[str, Plan] = {}
        self._loop = EventLoopThread()
        self._carry_out = _runner(self._plans, self._loop)
        self._pool = HandlerPool(self._core, self._carry_out)
        self._parkers = threading.local()
        # At the end of the program what runs is drained, like `stop` does. The hook must not keep
        # the engine alive.
        self._at_exit = _stop_hook(weakref.ref(self))
        atexit.register(self._at_exit)
        try:
            for template in templates:
                self.load(template)
        except BaseException:
            self.stop(timeout=0)
            raise

    def load(self, template: str | os.PathLike[str]) -> str:
        """Load a template from a YAML file, and take up its unfinished tasks if the engine resumes.

        Returns:
            Its name as `submit` takes it: `namespace/name@version`.

        Raises:
            TemplateError: It has errors, or can't be read; `problems` lists all.
            TemplateChangedError: The database has other content under this name and version.
            HandlerNotFoundError: A step's handler is not in the modules named.
        """
        return self.load_text(read_source(template), file=os.fspath(template))

    def load_text(self, source: str, *, file: str = "<text>") -> str:
        """Load a template from YAML text; `file` names it in errors. See `load`."""
        parsed = _extension.parse_template(source, file=file, environment=self._environment)
        label = f"{parsed.namespace}/{parsed.name}@{parsed.version}"
        plan = Plan(self._core, parsed, self._catalogue, file)
        idempotent = [bool(step.handler and step.handler.idempotent) for step in plan.steps]
        # Its steps may run as soon as it is loaded: the plan has to be where its number says.
        plan.id = len(self._plans)
        self._plans.append(plan)
        try:
            on_loop = [step.is_async for step in plan.steps]
            if any(on_loop):
                self._loop.serve(self._core, _loop_runner(self._plans))
            number = self._core.load(parsed, idempotent=idempotent, on_loop=on_loop)
        except BaseException:
            self._plans.pop()
            raise
        assert number == plan.id
        self._by_name[label] = plan
        self._by_short_name.clear()
        if self._resume:
            self._core.resume_all(plan.id)
            self._pool.grow()
        return label

    def template_warnings(self, template: str) -> list[TemplateProblem]:
        """What was noticed about a loaded template that is no error."""
        return self._plan(template).template.warnings

    def submit(
        self,
        template: str,
        context: Mapping[str, Any] | None = None,
        *,
        priority: int = 0,
        run_at: datetime | None = None,
        idempotency_key: str | None = None,
        concurrency_key: str | None = None,
        continuable: bool = False,
    ) -> str:
        """Write a task; it runs on the handler threads. When this returns, the task is on disk.

        Args:
            template: A name that `load` answered, or its part without namespace or version.
            context: What the handlers read as the task's context.
            priority: -100 to 100; higher goes first.
            run_at: Not to be started before; at once if None.
            idempotency_key: A second request of the template with this key is the same task.
            concurrency_key: Of the tasks with this key one runs at a time, in the order in which
                they were submitted: e.g. one per customer.
            continuable: Whether `find` finds the task by its template and context.

        Returns:
            The task's id; of a request that was made before (the same key, or the same context
            where the template's `identity_strategy` is `strict`), the id of its task.

        Raises:
            ConversionError: The context can't be stored as JSON.
            IdentityError: The key is taken by a task with another context, or a key is needed.
            EngineStoppedError: The engine was stopped.
        """
        plan = self._plan(template)
        [task] = self._core.submit(
            plan.id,
            [_context_text(context or {})],
            keys=[idempotency_key],
            lane=concurrency_key,
            run_at=_microseconds(run_at),
            priority=_priority(priority),
            continuable=continuable,
        )
        self._pool.grow()
        return task

    def submit_many(
        self,
        template: str,
        contexts: Iterable[Mapping[str, Any]],
        *,
        priority: int = 0,
        run_at: datetime | None = None,
        idempotency_keys: Iterable[str | None] | None = None,
        concurrency_key: str | None = None,
        continuable: bool = False,
    ) -> list[str]:
        """Write tasks of one template in one commit; see `submit`. `idempotency_keys` has one for
        each context.
        """
        plan = self._plan(template)
        texts = [_context_text(context) for context in contexts]
        keys = None if idempotency_keys is None else list(idempotency_keys)
        if keys is not None and len(keys) != len(texts):
            raise ValueError(f"{len(keys)} idempotency keys for {len(texts)} contexts")
        ids = self._core.submit(
            plan.id,
            texts,
            keys=keys,
            lane=concurrency_key,
            run_at=_microseconds(run_at),
            priority=_priority(priority),
            continuable=continuable,
        )
        self._pool.grow()
        return ids

    def run(
        self,
        template: str,
        context: Mapping[str, Any] | None = None,
        *,
        priority: int = 0,
        run_at: datetime | None = None,
        idempotency_key: str | None = None,
        concurrency_key: str | None = None,
        continuable: bool = False,
        timeout: float | None = None,
    ) -> TaskResult:
        """Write a task and wait for its end. This thread runs the steps that have no deadline, the
        handler threads what else is ready.

        Args:
            template: See `submit`, as for the next six.
            context: What the handlers read as the task's context.
            priority: -100 to 100; higher goes first.
            run_at: Not to be started before; at once if None.
            idempotency_key: A second request of the template with this key is the same task.
            concurrency_key: Of the tasks with this key one runs at a time.
            continuable: Whether `find` finds the task by its template and context.
            timeout: Seconds to wait; the task goes on after that.

        Returns:
            The task at its end: complete, or blocked by failures, or cancelled.

        Raises:
            TimeoutError: The time is up.
            ConversionError: The context can't be stored as JSON.
            IdentityError: The key is taken by a task with another context, or a key is needed.
            EngineStoppedError: The engine was stopped before the task's end.
            KeyboardInterrupt: Ctrl-C; the step that this thread ran is given back, and the task
                goes on when it is resumed, here or by the next start.
        """
        plan = self._plan(template)
        submitted = self._core.submit_run(
            plan.id,
            _context_text(context or {}),
            self._parker(),
            key=idempotency_key,
            lane=concurrency_key,
            run_at=_microseconds(run_at),
            priority=_priority(priority),
            continuable=continuable,
        )
        if isinstance(submitted, str):
            return self.wait(submitted, timeout=timeout)
        run, attempt = submitted
        while True:
            while attempt is not None:
                self._pool.grow()
                self._carry_out(attempt)
                attempt = self._core.report_and_lend(attempt)
            self._pool.grow()
            with signal_descriptor() as signals:
                found = self._core.next(run, signals=signals, timeout=timeout)
            if isinstance(found, _extension.Task):
                return TaskResult(found)
            if isinstance(found, _extension.Attempt):
                attempt = found
            elif found == "timeout":
                raise TimeoutError(
                    f"task {run.task_uuid} did not end within {timeout} s; it goes on"
                )

    def wait(self, task: str, *, timeout: float | None = None) -> TaskResult:
        """Wait for a task's end.

        Args:
            task: The task's id.
            timeout: Seconds to wait; the task goes on after that.

        Returns:
            The task at its end: complete, or blocked by failures, or cancelled.

        Raises:
            TaskNotFoundError: There is no such task, or it is open and nobody runs it here.
            TimeoutError: The time is up.
            EngineStoppedError: The engine was stopped first.
        """
        parker = self._parker()
        while True:
            with signal_descriptor() as signals:
                found = self._core.wait(task, parker, signals=signals, timeout=timeout)
            if found == "timeout":
                raise TimeoutError(f"task {task} did not end within {timeout} s; it goes on")
            if isinstance(found, _extension.Task):
                if not found.is_final:
                    label = f"{found.namespace}/{found.name}@{found.version}"
                    raise TaskNotFoundError(
                        f"task {task} is open, and its template {label} is not loaded here"
                    )
                return TaskResult(found)

    def task(self, task: str) -> TaskResult:
        """How a task stands now.

        Raises:
            TaskNotFoundError: There is no such task.
        """
        return TaskResult(self._core.task(task))

    def find(self, template: str, context: Mapping[str, Any] | None = None) -> TaskResult | None:
        """The newest task that was submitted as continuable with this template and context, or
        None.
        """
        found = self._core.find(self._plan(template).id, _context_text(context or {}))
        return None if found is None else TaskResult(found)

    def resume(self, template: str, task: str) -> bool:
        """Take up one unfinished task, in an engine that does not resume all or after Ctrl-C.

        Returns:
            Whether it was unfinished.
        """
        resumed = self._core.resume(self._plan(template).id, task)
        self._pool.grow()
        return resumed

    def open_tasks(self) -> list[str]:
        """The ids of all tasks in the database that are not at their end, oldest first."""
        return self._core.open_tasks()

    def trail(self, task: str) -> list[Transition]:
        """Every move of a task and of its steps, first to last."""
        return [
            Transition(step, before, after, _when(at), attempt, cause, worker)
            for step, before, after, at, attempt, cause, worker in self._core.trail(task)
        ]

    def cancel(self, task: str) -> bool:
        """End a task. Handlers see `context.cancelled` and are not waited for.

        Returns:
            Whether it was open.

        Raises:
            TaskNotFoundError: There is no such task, or its template is not loaded.
        """
        return self._core.cancel(task)

    def signal(self, task: str, step: str, payload: Mapping[str, Any] | None = None) -> None:
        """Give a step of type `wait_for_signal` what it waits for; its payload is the step's
        result. It may come before the step waits.

        Args:
            task: The task's id.
            step: The step's name.
            payload: A mapping that JSON can hold.

        Raises:
            TaskNotFoundError: There is no such task, or its template is not loaded.
            TaskStateError: The step waits for no signal, or has one.
            ConversionError: The payload can't be stored as JSON.
        """
        text = _json_text(payload or {}, "payload")
        self._core.signal(task, step, text)
        self._pool.grow()

    def retry_step(self, task: str, step: str) -> None:
        """Run a failed step again, with all its attempts. One that waits for its retry runs at
        once.

        Raises:
            TaskNotFoundError: There is no such task, or its template is not loaded.
            TaskStateError: The step did not fail.
        """
        self._core.reset_step(task, step)
        self._pool.grow()

    def complete_step(self, task: str, step: str, result: Mapping[str, Any] | None = None) -> None:
        """Take a step as done: somebody did its work, and this is its result. A handler that runs
        it sees `context.cancelled`.

        Raises:
            TaskNotFoundError: There is no such task, or its template is not loaded.
            TaskStateError: The step is over, or the result is none that it may have.
            ConversionError: The result can't be stored as JSON.
        """
        self._core.complete_step(task, step, _json_text(result or {}, "result"))
        self._pool.grow()

    def resolve_step(self, task: str, step: str) -> None:
        """Take a step as done without a result: what depends on it goes on.

        Raises:
            TaskNotFoundError: There is no such task, or its template is not loaded.
            TaskStateError: The step is over.
        """
        self._core.resolve_step(task, step)
        self._pool.grow()

    def give_up(self, task: str) -> None:
        """End a task in error that failures have blocked.

        Raises:
            TaskNotFoundError: There is no such task, or its template is not loaded.
            TaskStateError: The task is not blocked.
        """
        self._core.end_blocked(task, False)

    def resolve(self, task: str) -> None:
        """End a task as resolved that failures have blocked: somebody saw to it.

        Raises:
            TaskNotFoundError: There is no such task, or its template is not loaded.
            TaskStateError: The task is not blocked.
        """
        self._core.end_blocked(task, True)

    def prune(self, *, older_than: timedelta | None = None, keep: int | None = None) -> int:
        """Take finished tasks out of the database now, and give their space back. Tasks that
        failures have blocked stay.

        Args:
            older_than: Those that ended so long ago.
            keep: Those that are older than so many newer ones.

        Returns:
            How many went.
        """
        return self._core.prune(_seconds(older_than), keep)

    def backup(self, file: str | os.PathLike[str]) -> None:
        """Copy the database into a new file of mode 0600, as it is now. The engine goes on while it
        is copied.

        Raises:
            DatabaseError: The file can't be written, or is there already.
        """
        self._core.backup(os.fspath(file))

    def drain(self) -> None:
        """Hand out no more steps. Handlers that run go on, and `stop` waits for them."""
        self._core.drain()

    def stop(self, *, timeout: float | None = None) -> int:
        """Hand out no more steps, wait for handlers that run, make everything durable, and close
        the database.

        Calling it again does nothing. A `with` block calls it.

        Args:
            timeout: Seconds to wait for handlers; 30 if None.

        Returns:
            How many handlers were not waited for. Their steps run again after the next start.
        """
        limit = _DRAIN_SECONDS if timeout is None else timeout
        with signal_descriptor() as signals:
            left = self._core.stop(limit, self._parker(), signals=signals)
        self._loop.stop()
        atexit.unregister(self._at_exit)
        return left

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _plan(self, template: str) -> Plan:
        plan = self._by_name.get(template) or self._by_short_name.get(template)
        if plan is not None:
            return plan
        fitting = [label for label in self._by_name if template in _short_names(label)]
        if len(fitting) == 1:
            plan = self._by_short_name[template] = self._by_name[fitting[0]]
            return plan
        loaded = ", ".join(sorted(self._by_name)) or "none"
        if fitting:
            raise TemplateError(
                f"{template!r} names several templates: {', '.join(sorted(fitting))}"
            )
        raise TemplateError(f"no template {template!r} is loaded; loaded are: {loaded}")

    def _parker(self) -> Any:
        parker = getattr(self._parkers, "parker", None)
        if parker is None:
            is_main = threading.current_thread() is threading.main_thread()
            parker = self._parkers.parker = _extension.Parker(hears_signals=is_main)
        return parker


def _runner(plans: list[Plan], loop: EventLoopThread) -> Callable[[_Attempt], None]:
    """What carries out an attempt; it does not know the engine, so that the two keep no circle."""

    def run(attempt: _Attempt) -> None:
        carry_out(attempt, plans[attempt.plan].steps[attempt.step], loop)

    return run


def _loop_runner(plans: list[Plan]) -> Callable[[_Attempt], Awaitable[None]]:
    """The same on the event loop."""

    def run(attempt: _Attempt) -> Awaitable[None]:
        return carry_out_on_loop(attempt, plans[attempt.plan].steps[attempt.step])

    return run


def _short_names(label: str) -> tuple[str, str, str]:
    """What a template may be called where that is clear: without version, without namespace,
    without both.
    """
    namespace, _, rest = label.partition("/")
    name = rest.partition("@")[0]
    return f"{namespace}/{name}", rest, name


def _context_text(context: Mapping[str, Any]) -> str:
    return _json_text(context, "context")


def _json_text(value: Mapping[str, Any], what: str) -> str:
    if not isinstance(value, Mapping):
        raise TypeError(f"a {what} is a mapping, not {type(value).__name__}")
    plain = value if isinstance(value, dict) else dict(value)
    return _extension.to_json(plain, what=what, limit=MAX_JSON_BYTES)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _microseconds(when: datetime | None) -> int | None:
    if when is None:
        return None
    if when.tzinfo is None:
        raise ValueError("run_at has no time zone: use e.g. datetime.now(timezone.utc)")
    return round(when.timestamp() * 1_000_000)


def _priority(priority: int) -> int:
    if not -100 <= priority <= 100:
        raise ValueError(f"priority is between -100 and 100, not {priority}")
    return priority


def _stop_hook(engine: "weakref.ref[Engine]") -> Any:
    def stop() -> None:
        alive = engine()
        if alive is not None:
            alive.stop()

    return stop
