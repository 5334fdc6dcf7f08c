"""A task runs, each step as soon as its own dependencies are done."""

import asyncio
import threading
from typing import Any

import pytest
from pydantic import BaseModel
from support import MakeEngine, handler_module, template

from tasker_core import Engine, StepContext, StepHandler, TemplateError
from tasker_core.step_handler import depends_on, inputs, step_handler


def test_results_pass_from_step_to_step(make_engine: MakeEngine) -> None:
    @step_handler("validate")
    @inputs("quantity")
    def validate(quantity: int) -> dict[str, Any]:
        return {"total": quantity * 5}

    class Charge(StepHandler):
        def call(self, context: StepContext) -> Any:
            total = context.get_dependency_field("validate", "total")
            return self.success({"charged": total}, {"provider": "test"})

    engine = make_engine(validate, Charge)
    engine.load_text(template("validate", "charge: shop_handlers.Charge <- validate"))
    done = engine.run("orders", {"quantity": 3})
    assert done.is_complete
    assert done.results == {"validate": {"total": 15}, "charge": {"charged": 15}}
    assert done.result == {"charged": 15}
    assert done.steps["charge"].metadata == {"provider": "test"}
    assert [info.attempts for info in done.steps.values()] == [1, 1]


def test_run_submit_and_task_tell_the_same(make_engine: MakeEngine) -> None:
    def echo(context: StepContext) -> dict[str, Any]:
        return {"said": context.get_input("word")}

    engine = make_engine(echo)
    name = engine.load_text(template("echo"))
    assert name == "default/orders@1.0.0"
    ran = engine.run(name, {"word": "one"})
    waited = engine.wait(engine.submit(name, {"word": "two"}))
    assert (ran.result, waited.result) == ({"said": "one"}, {"said": "two"})
    assert engine.task(ran.task_uuid).result == ran.result
    assert engine.wait(ran.task_uuid).context == {"word": "one"}
    assert engine.open_tasks() == []


def test_a_slow_sibling_on_the_same_level_holds_nobody_up(make_engine: MakeEngine) -> None:
    after_has_begun = threading.Event()

    def slow() -> None:
        # With a barrier between levels, `after` would wait for this step, and this step for it.
        assert after_has_begun.wait(30)

    def quick() -> None: ...

    def after() -> None:
        after_has_begun.set()

    engine = make_engine(slow, quick, after)
    engine.load_text(template("slow", "quick", "after <- quick", "join: quick <- slow after"))
    assert engine.run("orders").is_complete


def test_independent_steps_run_at_the_same_time(make_engine: MakeEngine) -> None:
    together = threading.Barrier(4)

    def meet() -> None:
        together.wait(30)

    engine = make_engine(meet)
    engine.load_text(template(*(f"s{number}: meet" for number in range(4))))
    assert engine.run("orders").is_complete


def test_a_handler_may_run_a_workflow_itself(make_engine: MakeEngine) -> None:
    holder: dict[str, Engine] = {}

    def outer() -> dict[str, Any]:
        return holder["engine"].run("inner").result

    def leaf() -> dict[str, Any]:
        return {"deep": True}

    # With one thread only: the inner run must not need another.
    engine = holder["engine"] = make_engine(outer, leaf, threads=1)
    engine.load_text(template("outer", name="outer"))
    engine.load_text(template("leaf", name="inner"))
    assert engine.wait(engine.submit("outer")).result == {"deep": True}


def test_async_handlers_share_one_loop(make_engine: MakeEngine) -> None:
    loops = []

    async def one() -> None:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())

    class Two(StepHandler):
        async def call(self, context: StepContext) -> Any:
            loops.append(asyncio.get_running_loop())
            return {"name": self.name, "step": context.handler_name}

    engine = make_engine(one, Two)
    engine.load_text(template("one", "two: Two <- one"))
    done = engine.run("orders")
    assert done.result == {"name": "Two", "step": "Two"}
    assert len(loops) == 2 and loops[0] is loops[1]


def test_a_function_gets_models_of_inputs_and_dependencies(make_engine: MakeEngine) -> None:
    class Order(BaseModel):
        sku: str
        quantity: int = 1

    class Price(BaseModel):
        cents: int

    @step_handler("price")
    @inputs(Order)
    def price(inputs: Order) -> Price:
        return Price(cents=inputs.quantity * 250)

    @step_handler("bill")
    @depends_on(price=("price", Price))
    @inputs("sku", "currency")
    def bill(price: Price, sku: str, currency: str = "EUR") -> str:
        return f"{sku}: {price.cents} {currency}"

    engine = make_engine(price, bill)
    engine.load_text(template("price", "bill <- price"))
    # A key that is missing leaves the model's default, and the parameter's.
    assert engine.run("orders", {"sku": "A1"}).result == {"result": "A1: 250 EUR"}


def test_a_result_that_is_no_dict_reaches_the_next_step_as_it_was(make_engine: MakeEngine) -> None:
    def count() -> int:
        return 7

    @step_handler("twice")
    @depends_on(number="count")
    def twice(number: int) -> dict[str, int]:
        return {"twice": number * 2}

    engine = make_engine(count, twice)
    engine.load_text(template("count", "twice <- count"))
    assert engine.run("orders").results == {"count": {"result": 7}, "twice": {"twice": 14}}


def test_a_step_may_read_what_it_depends_on_through_others(make_engine: MakeEngine) -> None:
    def first() -> dict[str, int]:
        return {"n": 1}

    def second() -> dict[str, int]:
        return {"n": 2}

    def last(context: StepContext) -> dict[str, Any]:
        return {
            "through": context.get_dependency_result("first"),
            "stranger": context.get_dependency_result("aside"),
            "keys": context.get_dependency_result_keys(),
        }

    engine = make_engine(first, second, last)
    engine.load_text(template("first", "second <- first", "aside: first", "last <- second"))
    done = engine.run("orders")
    assert done.results["last"] == {
        "through": {"n": 1},
        "stranger": None,
        "keys": ["first", "second"],
    }


def test_initialization_and_method_come_from_the_template(make_engine: MakeEngine) -> None:
    class Configured(StepHandler):
        def call(self, _context: StepContext) -> Any:
            raise AssertionError("the template names another method")

        def refund(self, context: StepContext) -> Any:
            return {"limit": context.get_config("limit"), "big": context.get_config("big")}

    engine = make_engine(Configured)
    engine.load_text(
        "name: orders\nsteps:\n"
        "  - name: a\n"
        "    handler: {callable: Configured, method: refund, "
        "initialization: {limit: 5, big: 123456789012345678901234567890}}\n"
    )
    assert engine.run("orders").result == {"limit": 5, "big": 123456789012345678901234567890}


def test_many_tasks_at_a_time(make_engine: MakeEngine) -> None:
    @step_handler("square")
    @inputs("n")
    def square(n: int) -> dict[str, int]:
        return {"n": n * n}

    @step_handler("next")
    @depends_on(before="square")
    def following(before: dict[str, int]) -> dict[str, int]:
        return {"n": before["n"] + 1}

    engine = make_engine(square, following)
    engine.load_text(template("square", "next <- square"))
    ids = engine.submit_many("orders", [{"n": n} for n in range(200)])
    assert [engine.wait(task).result["n"] for task in ids] == [n * n + 1 for n in range(200)]


def test_the_trail_has_every_transition(make_engine: MakeEngine) -> None:
    def one() -> None: ...

    engine = make_engine(one)
    engine.load_text(template("one"))
    done = engine.run("orders")
    trail = engine.trail(done.task_uuid)
    walked = [(moved.step, moved.from_state, moved.to_state) for moved in trail]
    assert walked == [
        (None, "pending", "initializing"),
        (None, "initializing", "enqueuing_steps"),
        (None, "enqueuing_steps", "steps_in_process"),
        ("one", "pending", "enqueued"),
        ("one", "enqueued", "in_progress"),
        ("one", "in_progress", "enqueued_for_orchestration"),
        ("one", "enqueued_for_orchestration", "complete"),
        (None, "steps_in_process", "evaluating_results"),
        (None, "evaluating_results", "complete"),
    ]
    assert {moved.cause for moved in trail} == {"submitted", "claimed", "succeeded"}
    assert all(moved.at >= done.created_at for moved in trail)


def test_a_template_is_named_shortly_where_that_is_clear(make_engine: MakeEngine) -> None:
    def one() -> None: ...

    engine = make_engine(one)
    engine.load_text(template("one", more="namespace_name: a"))
    for name in ("orders", "a/orders", "orders@1.0.0", "a/orders@1.0.0"):
        assert engine.run(name).is_complete
    engine.load_text(template("one", more="namespace_name: b"))
    with pytest.raises(TemplateError, match="names several templates: a/orders@1.0.0, b/orders"):
        engine.run("orders")
    with pytest.raises(TemplateError, match="no template 'other' is loaded; loaded are: a/orders"):
        engine.run("other")


def test_a_lazy_context_is_complete_to_whoever_looks_at_all_of_it(make_engine: MakeEngine) -> None:
    import copy
    import pickle

    def look(context: StepContext) -> dict[str, Any]:
        assert isinstance(context, StepContext)
        whole = context.model_dump(mode="json")
        twins = [copy.copy(context), copy.deepcopy(context), pickle.loads(pickle.dumps(context))]
        return {
            "whole": whole,
            "twins": [twin.model_dump(mode="json") == whole for twin in twins],
            "equal": context == context.model_copy(),
            "repr": "input_data={'k': 1}" in repr(context),
            "fresh": (context.is_retry(), context.is_last_retry(), context.cancelled),
        }

    engine = make_engine(look)
    engine.load_text(template("look"))
    seen = engine.run("orders", {"k": 1}).result
    assert seen["twins"] == [True, True, True]
    assert seen["equal"] and seen["repr"] and seen["fresh"] == [False, False, False]
    assert seen["whole"]["input_data"] == {"k": 1}
    assert seen["whole"]["max_retries"] == 3
    assert seen["whole"]["event"]["task_sequence_step"]["workflow_step"]["name"] == "look"


def test_handlers_of_a_package_are_found_in_its_modules(make_engine: MakeEngine) -> None:
    first = handler_module(step_handler("dup")(lambda: {"from": 1}), name="one_module")
    engine = make_engine()
    engine._catalogue.add_module(first)
    engine.load_text(template("dup"))
    assert engine.run("orders").result == {"from": 1}
