"""Loading templates: every error at once, handlers only from where the user said."""

from pathlib import Path

import pytest
from support import handler_module, template

from tasker_core import Engine, HandlerNotFoundError, TemplateChangedError, TemplateError
from tasker_core.errors import ConfigurationError
from tasker_core.step_handler import step_handler


@pytest.fixture
def engine() -> Engine:
    def one() -> None: ...

    return Engine(durability="memory", handlers=[handler_module(one)])


def test_every_problem_of_a_file_is_told_with_its_place(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "orders.yaml"
    file.write_text(
        "name: Orders\nsteps:\n  - name: a\n    handler: {callable: one}\n    dependencies: [b]\n"
    )
    with pytest.raises(TemplateError) as raised:
        engine.load(file)
    name, unknown = [problem for problem in raised.value.problems if problem.is_error]
    assert (name.code, name.line, name.column, name.path) == ("name", 1, 7, "name")
    assert (unknown.code, unknown.line, unknown.column) == ("unknown-dependency", 5, 20)
    assert unknown.file == str(file)
    message = str(raised.value)
    assert f"{file}:5:20: error[unknown-dependency]" in message
    assert "     5 |     dependencies: [b]\n       |                    ^" in message


def test_a_cycle_is_spelled_out(engine: Engine) -> None:
    with pytest.raises(TemplateError, match="these steps wait for each other: b -> a -> b"):
        engine.load_text(template("a: one <- b", "b: one <- a"))


def test_a_missing_file_is_named(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="there is no template .*nothing.yaml"):
        engine.load(tmp_path / "nothing.yaml")


def test_all_unknown_handlers_are_told_at_once(engine: Engine) -> None:
    with pytest.raises(HandlerNotFoundError) as raised:
        engine.load_text(template("a: onee", "b: shop_handlers.two", "c: other.module.Three"))
    first, second, third = str(raised.value).splitlines()
    assert first == "<text>:3: step `a` has no handler `onee`: did you mean `one`?"
    assert "step `b` has no handler `shop_handlers.two`" in second
    assert "only shop_handlers may be used; add `--handlers other`" in third


def test_a_template_never_makes_a_module_load(engine: Engine) -> None:
    import sys

    with pytest.raises(HandlerNotFoundError):
        engine.load_text(template("a: antigravity.fly"))
    assert "antigravity" not in sys.modules


def test_other_content_under_one_version_shows_the_difference(engine: Engine) -> None:
    engine.load_text(template("a: one"))
    with pytest.raises(TemplateChangedError, match=r'\+      "name": "b"'):
        engine.load_text(template("a: one", "b: one"))
    engine.load_text(template("a: one"))
    assert engine.load_text(template("a: one", "b: one", more="version: 1.0.1")).endswith("@1.0.1")


def test_warnings_are_kept(engine: Engine) -> None:
    engine.load_text(template("a: one ! tiemout_seconds: 5"))
    found = {problem.code: problem for problem in engine.template_warnings("orders")}
    assert found["unknown-key"].hint == "did you mean `timeout_seconds`?"
    assert "no-timeout" in found


def test_an_environment_changes_the_template(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(context: object) -> object:
        return {"where": context.get_config("where")}  # type: ignore[attr-defined]

    source = (
        template("look") + "\nenvironments: {test: {steps: ["
        "{name: ALL, handler: {initialization: {where: there}}}]}}"
    )
    module = handler_module(look)
    monkeypatch.setenv("TASKER_ENV", "test")
    with Engine(durability="memory", handlers=[module]) as engine:
        engine.load_text(source)
        assert engine.run("orders").result == {"where": "there"}
    with Engine(durability="memory", handlers=[module], environment="production") as engine:
        engine.load_text(source)
        assert engine.run("orders").result == {"where": None}


def test_a_handler_module_that_fails_to_import_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_handlers.py").write_text("x = 1\ny = x / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match=r"ZeroDivisionError.*broken_handlers.py:2\)"):
        Engine(durability="memory", handlers=["broken_handlers"])
    with pytest.raises(ConfigurationError, match="there is no module `no_such_handlers`"):
        Engine(durability="memory", handlers=["no_such_handlers"])


def test_two_handlers_of_one_name_are_told_apart_by_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "twin_handlers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    body = (
        "from tasker_core.step_handler import step_handler\n"
        "@step_handler('same')\n"
        "def f{0}(): ...\n"
    )
    for name in "ab":
        (package / f"{name}.py").write_text(body.format(name))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ConfigurationError, match=r"two handlers are named `same`: .*a.py:2\) and .*b.py:2\)"
    ):
        Engine(durability="memory", handlers=["twin_handlers"])


def test_functions_are_found_by_their_dotted_path_too() -> None:
    module = handler_module(step_handler("nice")(_one), name="dotted_handlers")
    with Engine(durability="memory", handlers=[module]) as engine:
        engine.load_text(template("a: dotted_handlers._one"))
        assert engine.run("orders").is_complete


def _one() -> None: ...
