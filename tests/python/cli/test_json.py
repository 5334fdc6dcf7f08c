"""`tasker run --json`: one document for machines, and nothing beside it."""

import json
from datetime import datetime

from cli.workplace import TWO_STEPS, Workplace

HANDLERS = """
    print("imported")

    @step_handler("first")
    def first():
        print("printed")
        os.system("echo from a process")
        return {"größe": 2**70}

    @step_handler("second")
    def second():
        if os.path.exists("broken"):
            raise ValueError("no second")
        return {"last": [1, None]}
"""


def test_a_complete_task(workplace: Workplace) -> None:
    workplace.template(TWO_STEPS)
    workplace.handlers(HANDLERS)
    done = workplace.run_template("--json", "--context", '{"secret": "hunter2"}')
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert list(document) == [
        "task_uuid",
        "template",
        "state",
        "continued",
        "created_at",
        "steps",
        "result",
        "errors",
    ]
    assert document["template"] == "default/orders@1.0.0"
    assert document["state"] == "complete"
    assert document["continued"] is False
    assert document["result"] == {"last": [1, None]}
    assert document["errors"] == {}
    assert list(document["steps"]) == ["first", "second"]
    first = document["steps"]["first"]
    assert (first["state"], first["attempts"]) == ("complete", 1)
    assert first["result"] == {"größe": 2**70}
    assert 0 <= first["seconds"] < 60
    assert datetime.fromisoformat(first["started_at"]) <= datetime.fromisoformat(
        first["finished_at"]
    )
    # What handlers print is there, and not in the document's way.
    for printed in ("imported", "printed", "from a process"):
        assert printed in done.stderr
    assert "hunter2" not in done.stdout


def test_a_failed_task(workplace: Workplace) -> None:
    once = "retry: {max_attempts: 1}, dependencies: [first]"
    workplace.template(TWO_STEPS.replace("dependencies: [first]", once))
    workplace.handlers(HANDLERS)
    workplace.write("broken", "")
    done = workplace.run_template("--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["state"] == "blocked_by_failures"
    assert document["result"] is None
    assert list(document["errors"]) == ["second"]
    assert document["errors"]["second"]["message"] == "no second"
    assert document["errors"]["second"]["metadata"]["exception_type"] == "ValueError"
    assert document["steps"]["second"]["state"] == "error"
    again = workplace.run_template("--json")
    assert again.returncode == 1
    assert json.loads(again.stdout) == {**document, "continued": True}


def test_bad_usage_leaves_the_standard_output_empty(workplace: Workplace) -> None:
    done = workplace.run("run", "absent.yaml", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "absent.yaml" in done.stderr
