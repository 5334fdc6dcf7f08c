"""Random workflows on the engine, beside a model of the rules that is too plain to be wrong."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle.play import Play, Stage
from oracle.worlds import World, worlds

PATIENT = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module", params=["memory 1", "memory 4", "fast 3"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    durability, _, threads = request.param.partition(" ")
    with closing(Stage(durability, int(threads), tmp_path_factory.mktemp("t") / "t.db")) as opened:
        yield opened


@settings(PATIENT, max_examples=60)
@given(world=worlds())
def test_any_workflow_ends_as_the_rules_say(stage: Stage, world: World) -> None:
    with closing(Play(stage, world)) as play:
        play.rest()
        while awaited := play.model.awaited():
            name, payload = awaited[0], {"by": "somebody"}
            play.do(
                lambda: play.model.signal(name, payload),
                lambda: play.engine.signal(play.task, name, payload),
            )
