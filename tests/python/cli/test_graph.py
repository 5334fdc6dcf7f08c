"""`tasker graph`: a template as Mermaid."""

from cli.workplace import Workplace


def test_steps_and_edges(workplace: Workplace) -> None:
    workplace.template("""
        name: orders
        steps:
          - {name: ship, handler: {callable: absent.Ship}, dependencies: [charge, reserve]}
          - {name: charge, handler: {callable: absent.Charge}}
          - {name: reserve, handler: {callable: absent.Reserve}}
    """)
    done = workplace.run("graph", "template.yaml")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "---",
        'title: "orders"',
        "---",
        "flowchart TD",
        '    s0["ship"]',
        '    s1["charge"]',
        '    s2["reserve"]',
        "    s1 --> s0",
        "    s2 --> s0",
    ]
    assert not (workplace.folder / "tasker.db").exists()


def test_each_kind_of_step_has_a_shape(workplace: Workplace) -> None:
    workplace.template("""
        name: orders
        steps:
          - {name: start, handler: {callable: a}}
          - {name: choose, type: decision, handler: {callable: a}, dependencies: [start]}
          - {name: manual, handler: {callable: a}, dependencies: [choose]}
          - {name: join, type: deferred_convergence, handler: {callable: a}, dependencies: [manual]}
    """)
    lines = workplace.run("graph", "template.yaml").stdout.splitlines()
    assert '    s1{"choose"}' in lines
    assert '    s3(["join"])' in lines
    assert "    s0 --> s1" in lines
    assert "    s1 -.-> s2" in lines


def test_a_name_is_shown_and_never_read_as_syntax(workplace: Workplace) -> None:
    workplace.template("""
        name: orders
        steps:
          - {name: 'end"]; click s0 <b>&#35;', handler: {callable: a}}
          - {name: prüfen 2.0, handler: {callable: a}}
    """)
    lines = workplace.run("graph", "template.yaml").stdout.splitlines()
    assert lines[4] == '    s0["end#34;#93;#59; click s0 #60;b#62;#38;#35;35#59;"]'
    assert lines[5] == '    s1["prüfen 2.0"]'


def test_a_template_with_errors_has_no_graph(workplace: Workplace) -> None:
    workplace.template("name: orders\nsteps: 3\n")
    done = workplace.run("graph", "template.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "template.yaml:2:" in done.stderr
