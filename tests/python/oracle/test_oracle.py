"""Random workflows on the engine, beside a model of the rules that is too plain to be wrong."""

import os
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from oracle.play import Play, Stage
from oracle.worlds import World, worlds

TIMES = int(os.environ.get("ORACLE_TIMES", "1"))
"""How many times as many examples as in an ordinary run."""
PLACES = st.integers(0, 30)
PATIENT = settings(
    deadline=None,
    # A step that the engine forgets costs seconds of waiting; to shrink that would take minutes.
    phases=[Phase.explicit, Phase.generate],
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module", params=["memory 1", "memory 4", "fast 3"])
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    durability, _, threads = request.param.partition(" ")
    with closing(Stage(durability, int(threads), tmp_path_factory.mktemp("t") / "t.db")) as opened:
        yield opened


@settings(PATIENT, max_examples=25 * TIMES)
@given(world=worlds())
def test_any_workflow_ends_as_the_rules_say(stage: Stage, world: World) -> None:
    with closing(Play(stage, world)) as play:
        play.rest()
        while awaited := play.model.awaited():
            play.act("signal", awaited[0], {"by": "somebody"})


class People(RuleBasedStateMachine):
    """What people do to a task, at every rest of it, sensible or not."""

    stage: Stage

    @initialize(world=worlds(most=16))
    def submit(self, world: World) -> None:
        self.play = Play(self.stage, world)
        self.play.rest()

    def teardown(self) -> None:
        if hasattr(self, "play"):
            self.play.close()

    def is_open(self) -> bool:
        return self.play.model.ended is None

    def unfinished(self, place: int) -> str:
        """A step that is not over; where there is none, any of the template."""
        steps = self.play.model.steps.items()
        names = [name for name, live in steps if live.state not in ("complete", "cancelled")]
        names = names or list(self.play.world.template)
        return names[place % len(names)]

    @precondition(is_open)
    @rule(place=PLACES)
    def retry_step(self, place: int) -> None:
        failed = [
            name
            for name, live in self.play.model.steps.items()
            if live.state in ("error", "waiting_for_retry")
        ]
        self.play.act(
            "retry_step", failed[place % len(failed)] if failed else self.unfinished(place)
        )

    @precondition(is_open)
    @rule(place=PLACES, run=st.integers(1, 2))
    def complete_step(self, place: int, run: int) -> None:
        name = self.unfinished(place)
        self.play.act("complete_step", name, self.play.world.result(name, run).result)

    @precondition(is_open)
    @rule(place=PLACES)
    def resolve_step(self, place: int) -> None:
        self.play.act("resolve_step", self.unfinished(place))

    @precondition(is_open)
    @rule(place=PLACES)
    def signal(self, place: int) -> None:
        template = self.play.world.template.values()
        names = [step.name for step in template if step.kind == "wait_for_signal"]
        names = names or [self.unfinished(place)]
        self.play.act("signal", names[place % len(names)], {"by": "somebody", "place": place})

    @rule(name=st.sampled_from(["s0", "s7", "s15"]), verb=st.sampled_from(["retry", "resolve"]))
    def meddle(self, name: str, verb: str) -> None:
        if name in self.play.world.template:
            self.play.act(f"{verb}_step", name)

    @rule(verb=st.sampled_from(["cancel", "give_up", "resolve", *["restart"] * 6]))
    def end(self, verb: str) -> None:
        if verb != "restart":
            self.play.act(verb)
        elif self.stage.durability != "memory":
            self.stage.close()
            self.stage.open()
            self.play.rest()


def test_whatever_people_do_the_rules_hold(stage: Stage) -> None:
    class OnStage(People):
        pass

    OnStage.stage = stage
    run_state_machine_as_test(
        OnStage, settings=settings(PATIENT, max_examples=15 * TIMES, stateful_step_count=8)
    )
