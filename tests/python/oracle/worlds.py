"""Random templates, and what comes of every attempt of their steps."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from oracle.model import Outcome, Step

_FAILURES = {"retry": Outcome(None, retryable=True), "fail": Outcome(None)}
_DONE, _RETRY, _FAIL = "done", "retry", "fail"


@dataclass(frozen=True, repr=False)
class World:
    """A template with the outcomes of its steps: a pure function of a step's name and how often it
    has run.
    """

    template: dict[str, Step]
    scripts: dict[str, tuple[str, ...]]
    """What comes of a step's first run, its second, and so on, around and around."""
    answers: dict[str, tuple[dict[str, Any], ...]]
    """What a decision or a batchable step says beside its result, run by run."""

    def __repr__(self) -> str:
        lines = [self.yaml("shown")]
        for name, script in self.scripts.items():
            if script != (_DONE,) or name in self.answers:
                lines.append(f"# {name}: {' '.join(script)} {self.answers.get(name, '')}")
        return "\n" + "\n".join(lines)

    def outcome(self, step: str, run: int) -> Outcome:
        """See `model.Outcomes`."""
        name, _, batch_id = step.partition("_")
        script = self.scripts[name]
        # The workers of a batch fare differently.
        said = script[(run - 1 + int(batch_id or 0)) % len(script)]
        return self.result(step, run) if said == _DONE else _FAILURES[said]

    def result(self, step: str, run: int) -> Outcome:
        """A success, that tells which run of which step it is of."""
        answers = self.answers.get(step, ({},))
        return Outcome({"by": step, "run": run, **answers[(run - 1) % len(answers)]})

    def yaml(self, name: str) -> str:
        """The template as the engine reads it."""
        return "\n".join([f"name: {name}", "steps:", *map(_line, self.template.values())])


def _line(step: Step) -> str:
    batch = []
    if step.kind == "batchable":
        batch.append(f"failure_strategy: {step.strategy}")
        if step.parallelism is not None:
            batch.append(f"parallelism: {step.parallelism}")
        if step.worker_template is not None:
            batch.append(f"worker_template: {step.worker_template}")
    parts = [
        f"name: {step.name}",
        f"type: {step.kind}",
        "handler: {callable: Scripted}" if step.kind != "wait_for_signal" else "",
        f"dependencies: [{', '.join(step.needs)}]",
        f"retry: {{max_attempts: {step.max_attempts}, backoff: none, "
        f"retryable: {str(step.retryable).lower()}}}",
        f"batch_config: {{{', '.join(batch)}}}" if batch else "",
    ]
    return f"  - {{{', '.join(part for part in parts if part)}}}"


_KINDS = st.sampled_from(
    ["standard"] * 5
    + ["decision"] * 3
    + ["deferred_convergence"] * 3
    + ["batchable"] * 2
    + ["batch_worker"] * 3
    + ["wait_for_signal", "on_failure"]
)
_SCRIPTS = st.one_of(
    *[st.just((_DONE,))] * 4,
    st.lists(st.sampled_from([_DONE, _DONE, _RETRY]), min_size=1, max_size=4).map(tuple),
)
_WORSE_SCRIPTS = st.one_of(
    _SCRIPTS,
    st.lists(st.sampled_from([_DONE, _RETRY, _FAIL]), min_size=1, max_size=4).map(tuple),
)
_STRATEGIES = st.sampled_from(["isolate", "fail_fast", "continue_on_failure"])
_PLACES = st.integers(0, 49)
_SOMETIMES = st.integers(0, 7).map(lambda number: number == 7)


@st.composite
def worlds(draw: st.DrawFn, most: int = 50) -> World:
    """Templates of up to `most` steps of every type."""
    steps: list[Step] = []
    for place in range(draw(st.integers(1, most))):
        steps.append(_step(draw, f"s{place}", steps))
    steps = [_with_worker_template(draw, step, steps) for step in steps]
    of_world = draw(st.sampled_from([_SCRIPTS, _WORSE_SCRIPTS]))
    scripts = {step.name: draw(of_world) for step in steps}
    answers = {
        step.name: tuple(_answer(draw, step, steps) for _ in range(draw(st.integers(1, 2))))
        for step in steps
        if step.kind in ("decision", "batchable")
    }
    return World({step.name: step for step in steps}, scripts, answers)


def _step(draw: st.DrawFn, name: str, before: list[Step]) -> Step:
    kind = draw(_KINDS)
    nodes = [step for step in before if step.kind != "on_failure"]
    batchables = [step.name for step in nodes if step.kind == "batchable"]
    if kind == "on_failure" and len(nodes) == len(before):
        return Step(name, kind, max_attempts=draw(st.integers(1, 2)))
    # Mostly what came shortly before, so that the graph has depth.
    places = draw(st.lists(_PLACES, max_size=4 if kind == "deferred_convergence" else 2))
    needs = dict.fromkeys(nodes[-1 - place % len(nodes)].name for place in places if nodes)
    decisions = sum(step.kind == "decision" for step in nodes)
    if kind == "batch_worker" and batchables:
        one = batchables[-1 - draw(_PLACES) % len(batchables)]
        # A worker that waits for a branch that is not taken would keep its task open for ever.
        others = [need for need in needs if not _hangs_on_a_decision(need, nodes)]
        needs = dict.fromkeys([one, *(others if draw(_SOMETIMES) else [])])
    elif kind in ("batch_worker", "on_failure") or (
        kind == "decision" and (not needs or decisions == 20)
    ):
        kind = "standard"
    return Step(
        name,
        kind,
        tuple(needs),
        max_attempts=draw(st.integers(1, 4)),
        retryable=not draw(_SOMETIMES),
        parallelism=draw(st.none() | st.integers(1, 3)) if kind == "batchable" else None,
        strategy=draw(_STRATEGIES) if kind == "batchable" else "isolate",
    )


def _hangs_on_a_decision(name: str, steps: list[Step]) -> bool:
    step = next(step for step in steps if step.name == name)
    return step.kind == "decision" or any(_hangs_on_a_decision(need, steps) for need in step.needs)


def _workers(step: Step, steps: list[Step]) -> list[str]:
    return [it.name for it in steps if it.kind == "batch_worker" and step.name in it.needs]


def _with_worker_template(draw: st.DrawFn, step: Step, steps: list[Step]) -> Step:
    workers = _workers(step, steps)
    if step.kind != "batchable" or len(workers) < 2 or draw(_SOMETIMES):
        return step
    chosen = draw(st.sampled_from(workers))
    return Step(**{**vars(step), "worker_template": chosen})


def _answer(draw: st.DrawFn, step: Step, steps: list[Step]) -> dict[str, Any]:
    if step.kind == "decision":
        return {"decision_point_outcome": _branches(draw, step, steps)}
    return {"batch_processing_outcome": _batches(draw, step, steps)}


def _branches(draw: st.DrawFn, step: Step, steps: list[Step]) -> dict[str, Any]:
    below = [it.name for it in steps if step.name in it.needs and it.kind != "batch_worker"]
    if not below or draw(_SOMETIMES):
        return {"type": "no_branches"}
    names = draw(st.lists(st.sampled_from(below), min_size=1, max_size=4, unique=True))
    if draw(_SOMETIMES):
        names.append(draw(st.sampled_from([it.name for it in steps])))
    return {"type": "create_steps", "step_names": names}


def _batches(draw: st.DrawFn, step: Step, steps: list[Step]) -> dict[str, Any]:
    workers = _workers(step, steps)
    named = {"worker_template_name": draw(st.sampled_from(workers))} if workers else {}
    if draw(_SOMETIMES):
        named = {}
    count = draw(st.integers(0, 5))
    if count == 0:
        return {"type": "no_batches", **named}
    configs = [{"batch_id": f"{number:03}"} for number in range(1, count + 1)]
    return {"type": "create_batches", **named, "cursor_configs": configs}
