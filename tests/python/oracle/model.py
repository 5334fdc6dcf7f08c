"""The workflow rules, as plainly as they can be said: nothing is counted along, nothing is fast.

A `Model` is one task. It is told what happened, in order (a step began, its attempt ended, a person
did something), refuses what the rules forbid, and answers what must hold now.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Result = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A step of a template."""

    name: str
    kind: str = "standard"
    needs: tuple[str, ...] = ()
    max_attempts: int = 3
    retryable: bool = True
    parallelism: int | None = None
    strategy: str = "isolate"
    worker_template: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a handler makes of an attempt: a result, or a failure that may or may not be retried."""

    result: Result | None
    retryable: bool = False


Outcomes = Callable[[str, int], Outcome]
"""What comes of the n-th run of a step, by its name and n, from 1."""


class Refused(Exception):
    """What the rules don't allow."""


@dataclass
class Batch:
    """The workers that were made from one step of the template."""

    workers: list[str]
    parallelism: int | None
    strategy: str


@dataclass
class Live:
    """A step of the task."""

    of: Step
    state: str = "pending"
    attempts: int = 0
    before_reset: int = 0
    """Attempts that do not count against `max_attempts`."""
    result: Result | None = None
    signal: Result | None = None
    running: bool = False


@dataclass
class Model:
    """One task of a template."""

    template: dict[str, Step]
    outcomes: Outcomes
    steps: dict[str, Live] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    """By the name of the template's step."""
    ended: str | None = None

    def __post_init__(self) -> None:
        for step in self.template.values():
            if self._is_initial(step):
                self.steps[step.name] = Live(step)
        self._settle()

    # What is there.

    def _is_initial(self, step: Step) -> bool:
        if step.kind in ("batch_worker", "on_failure"):
            return False
        if any(self.template[above].kind == "decision" for above in self.ancestors(step)):
            return False
        if step.kind == "deferred_convergence":
            any_decision = any(other.kind == "decision" for other in self.template.values())
            joins_batch = any(self.template[need].kind == "batch_worker" for need in step.needs)
            return any_decision or not joins_batch
        return True

    def ancestors(self, step: Step) -> set[str]:
        """All that a step depends on, directly or not."""
        found: set[str] = set()
        ahead = list(step.needs)
        while ahead:
            name = ahead.pop()
            if name not in found:
                found.add(name)
                ahead.extend(self.template[name].needs)
        return found

    def _exists(self, name: str) -> bool:
        return name in self.steps or name in self.batches

    def _is_done(self, name: str) -> bool:
        """Whether what depends on a step of the template need not wait for it."""
        if self.template[name].kind == "batch_worker":
            return name in self.batches and all(
                self._is_closed(worker) for worker in self.batches[name].workers
            )
        return name in self.steps and self._is_closed(name)

    def _is_closed(self, name: str) -> bool:
        """Whether the task's end does not wait for a step."""
        return self.steps[name].state in ("complete", "resolved_manually") or self._is_tolerated(
            name
        )

    def _is_tolerated(self, name: str) -> bool:
        batch = self._batch_of(name)
        failed = self.steps[name].state == "error"
        return failed and batch is not None and batch.strategy == "continue_on_failure"

    def _batch_of(self, name: str) -> Batch | None:
        return next((batch for batch in self.batches.values() if name in batch.workers), None)

    # What may run.

    def may_begin(self, name: str) -> bool:
        """Whether a handler may be given this step now."""
        live = self.steps.get(name)
        if live is None or self.ended is not None or live.running:
            return False
        return live.of.kind != "wait_for_signal" and self._is_free(name)

    def _is_free(self, name: str) -> bool:
        """Whether nothing keeps a step that is not over."""
        live = self.steps[name]
        if live.state not in ("pending", "waiting_for_retry"):
            return False
        if live.of.kind == "deferred_convergence":
            return self._may_converge(live.of)
        if not all(self._is_done(need) for need in live.of.needs):
            return False
        batch = self._batch_of(name)
        if batch is None:
            return True
        others = [self.steps[other] for other in batch.workers]
        if batch.strategy == "fail_fast" and any(other.state == "error" for other in others):
            return False
        running = sum(other.running for other in others)
        return batch.parallelism is None or running < batch.parallelism

    def _may_converge(self, step: Step) -> bool:
        """It waits for the created ones alone, and until nothing above may create more of them."""
        if any(self._exists(need) and not self._is_done(need) for need in step.needs):
            return False
        creators = (
            above
            for above in self.ancestors(step)
            if self.template[above].kind in ("decision", "batchable") and above in self.steps
        )
        return all(self._is_done(creator) for creator in creators)

    def ready(self) -> list[str]:
        """The steps that may begin, and must before the task rests."""
        return [name for name in self.steps if self.may_begin(name)]

    def running(self) -> list[str]:
        """The steps whose attempt has not ended."""
        return [name for name, live in self.steps.items() if live.running]

    # What happens by itself.

    def begin(self, name: str) -> dict[str, Result]:
        """An attempt begins; answers the results that it sees of what the step depends on."""
        if not self.may_begin(name):
            raise Refused(f"`{name}` may not begin: {self.steps.get(name)}")
        live = self.steps[name]
        live.state, live.running = "in_progress", True
        live.attempts += 1
        return self.seen_by(live.of)

    def seen_by(self, step: Step) -> dict[str, Result]:
        """The results of a step's own dependencies; for a batch worker those of its workers."""
        seen = {}
        for need in step.needs:
            batch = self.batches.get(need)
            for name in batch.workers if batch else [need]:
                result = self.steps[name].result if name in self.steps else None
                if result is not None:
                    seen[name] = result
        return seen

    def end(self, name: str) -> str:
        """The attempt ends as the outcomes say; answers the state that the step comes to."""
        live = self.steps[name]
        if not live.running:
            raise Refused(f"`{name}` ended and was not running")
        live.running = False
        outcome = self.outcomes(name, live.attempts)
        if outcome.result is not None:
            try:
                self._grow(live.of, outcome.result)
            except Refused:
                live.state = "error"
            else:
                live.state, live.result = "complete", outcome.result
        elif outcome.retryable and live.of.retryable and self._attempts_remain(live):
            live.state = "waiting_for_retry"
        else:
            live.state = "error"
        state = live.state
        self._settle()
        return state

    def _attempts_remain(self, live: Live) -> bool:
        return live.attempts - live.before_reset < live.of.max_attempts

    def _settle(self) -> None:
        """What follows without a handler: signals that came, the step for failures, the end."""
        for name, live in self.steps.items():
            if live.signal is not None and live.state == "pending" and self._is_free(name):
                live.state, live.result, live.signal = "complete", live.signal, None
                live.attempts += 1
                return self._settle()
        if self.ready() or self.running():
            return None
        if all(self._is_closed(name) for name in self.steps):
            self.ended = "complete"
        elif self._is_blocked():
            for step in self.template.values():
                if step.kind == "on_failure" and step.name not in self.steps:
                    self.steps[step.name] = Live(step)
        return None

    def _is_blocked(self) -> bool:
        failed = (name for name, live in self.steps.items() if live.state == "error")
        return any(not self._is_tolerated(name) for name in failed)

    def state(self) -> str:
        """The task's state, when nothing is ready and nothing runs."""
        if self.ended is not None:
            return self.ended
        return "blocked_by_failures" if self._is_blocked() else "waiting_for_dependencies"

    def awaited(self) -> list[str]:
        """The steps that wait for nothing but a signal."""
        signals = (name for name in self.steps if self.steps[name].of.kind == "wait_for_signal")
        return [name for name in signals if self.ended is None and self._is_free(name)]

    # What a step creates.

    def _grow(self, by: Step, result: Result | None) -> None:
        """What a step creates with this result, or without one; it is refused if it can't be."""
        if by.kind == "decision" and result is not None:
            self._decide(by, result["decision_point_outcome"])
        if by.kind == "batchable":
            self._cut(by, None if result is None else result["batch_processing_outcome"])

    def _decide(self, by: Step, outcome: Result) -> None:
        wanted = outcome.get("step_names", [])
        for name in wanted:
            step = self.template.get(name)
            if step is None or by.name not in self.ancestors(step) or step.kind == "batch_worker":
                raise Refused(f"`{by.name}` may not create `{name}`")
        new = self._with_followers(by, [name for name in wanted if not self._exists(name)])
        for name in wanted:
            if name in new and self.template[name].kind != "deferred_convergence":
                for need in self.template[name].needs:
                    if not self._comes(need, new):
                        raise Refused(f"`{name}` would wait for `{need}` for ever")
        self._create(new)

    def _comes(self, name: str, new: set[str]) -> bool:
        """Whether a step is there, or created now, or made by batchable steps that are."""
        if self._exists(name) or name in new:
            return True
        step = self.template[name]
        return step.kind == "batch_worker" and all(
            need in self.steps or need in new for need in step.needs
        )

    def _with_followers(self, by: Step, first: Iterable[str]) -> set[str]:
        """Steps with all that follows from them: what joins any of them, and steps all of whose
        dependencies are there by then. What hangs on another decision waits for that one's word.
        """
        new = set(first)
        while True:
            more = {
                step.name
                for step in self.template.values()
                if step.name not in new
                and not self._exists(step.name)
                and not new.isdisjoint(step.needs)
                and self._follows(step, by, new)
            }
            if not more:
                return new
            new |= more

    def _follows(self, step: Step, by: Step, new: set[str]) -> bool:
        if step.kind == "batch_worker":
            return False
        if step.kind == "deferred_convergence":
            return True
        return all(
            (need in new or self._exists(need))
            and (need == by.name or self.template[need].kind != "decision")
            for need in step.needs
        )

    def _create(self, names: Iterable[str]) -> None:
        for name in names:
            if self.template[name].kind != "batch_worker":
                self.steps[name] = Live(self.template[name])

    def _cut(self, by: Step, outcome: Result | None) -> None:
        below = [
            step.name
            for step in self.template.values()
            if step.kind == "batch_worker" and by.name in step.needs
        ]
        chosen = (outcome or {}).get("worker_template_name") or by.worker_template
        if chosen is None and len(below) > 1:
            raise Refused(f"`{by.name}` does not say which worker")
        if chosen is None and below:
            chosen = below[0]
        if chosen is not None and chosen not in below:
            raise Refused(f"`{chosen}` is no worker of `{by.name}`")
        ids = ["000"]
        if outcome is not None and outcome["type"] == "create_batches":
            ids = [config["batch_id"] for config in outcome["cursor_configs"]]
        cut = {}
        for name in below:
            if name not in self.batches and (name == chosen or self._is_last(by, name)):
                cut[name] = [f"{name}_{batch_id}" for batch_id in ids] if name == chosen else []
        new = self._with_followers(by, cut)
        for name, workers in cut.items():
            self.batches[name] = Batch(workers, by.parallelism, by.strategy)
            for worker in workers:
                self.steps[worker] = Live(self.template[name])
        self._create(new)

    def _is_last(self, by: Step, worker: str) -> bool:
        """Whether no other step can cut a batch of these workers any more."""
        return all(
            need == by.name or self.template[need].kind != "batchable" or self._is_done(need)
            for need in self.template[worker].needs
        )

    # What people do.

    def _of_open_task(self, name: str) -> Live:
        if self.ended is not None or name not in self.steps:
            raise Refused(f"{self.ended} {name}")
        return self.steps[name]

    def retry_step(self, name: str) -> None:
        """Run a failed step again, with all its attempts."""
        live = self._of_open_task(name)
        if live.state not in ("error", "waiting_for_retry"):
            raise Refused(f"`{name}` did not fail")
        if self._is_tolerated(name):
            below = (step.name for step in self.template.values() if live.of.name in step.needs)
            for joins in (self.steps[step] for step in below if step in self.steps):
                if joins.attempts > 0 or joins.state in ("complete", "resolved_manually"):
                    raise Refused(f"`{name}` was done without")
        live.state, live.before_reset = "pending", live.attempts
        self._settle()

    def complete_step(self, name: str, result: Result) -> None:
        """Take a step as done with this result."""
        self._finish(name, "complete", result)

    def resolve_step(self, name: str) -> None:
        """Take a step as done without a result."""
        self._finish(name, "resolved_manually", None)

    def _finish(self, name: str, state: str, result: Result | None) -> None:
        live = self._of_open_task(name)
        if live.state in ("complete", "resolved_manually"):
            raise Refused(f"`{name}` is over")
        self._grow(live.of, result)
        live.state, live.result, live.signal = state, result, None
        self._settle()

    def signal(self, name: str, payload: Result) -> None:
        """Give a step the signal that it waits for, or will."""
        live = self._of_open_task(name)
        if live.of.kind != "wait_for_signal" or live.state != "pending" or live.signal is not None:
            raise Refused(f"`{name}` waits for no signal")
        live.signal = payload
        self._settle()

    def cancel(self) -> bool:
        """End the task; answers whether it was open."""
        if self.ended is not None:
            return False
        self._end("cancelled", keep_failed=False)
        return True

    def give_up(self) -> None:
        """End the task in error, if failures block it."""
        self._end_blocked("error")

    def resolve(self) -> None:
        """End the task as resolved, if failures block it."""
        self._end_blocked("resolved_manually")

    def _end_blocked(self, state: str) -> None:
        if self.ended is not None or not self._is_blocked():
            raise Refused("the task is not blocked")
        self._end(state, keep_failed=True)

    def _end(self, state: str, *, keep_failed: bool) -> None:
        self.ended = state
        for live in self.steps.values():
            over = live.state in ("complete", "resolved_manually")
            if not over and not (keep_failed and live.state == "error"):
                live.state = "cancelled"
