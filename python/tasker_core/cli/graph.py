"""`tasker graph`: a template as a drawing."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from tasker_core.cli.exit import COMPLETE

if TYPE_CHECKING:
    from tasker_core._tasker_core import Template

# What stands around the name of a step of each kind: a box, a rhombus, round ends, double edges, a
# leaning box.
_SHAPES = {
    "standard": ("[", "]"),
    "decision": ("{", "}"),
    "deferred_convergence": ("([", "])"),
    "batchable": ("[[", "]]"),
    "batch_worker": ("[/", "/]"),
}


def graph(
    template: Annotated[str, typer.Argument(help="The YAML file.")],
) -> int:
    """Print a template as a Mermaid flowchart. Needs no handlers."""
    from tasker_core._template_file import parse, read_source

    print(mermaid(parse(read_source(template), template)))
    return COMPLETE


def mermaid(template: "Template") -> str:
    """Draw a template; edges that a decision may leave out are dotted.

    Args:
        template: What `parse` answered.

    Returns:
        The text of a Mermaid flowchart.
    """
    steps = template.steps
    numbers = {step["name"]: number for number, step in enumerate(steps)}
    kinds = {step["name"]: step["kind"] for step in steps}
    lines = ["---", f"title: {json.dumps(template.name)}", "---", "flowchart TD"]
    for number, step in enumerate(steps):
        opening, closing = _SHAPES.get(step["kind"], _SHAPES["standard"])
        lines.append(f'    s{number}{opening}"{_label(step["name"])}"{closing}')
    for number, step in enumerate(steps):
        for name in step["dependencies"]:
            arrow = "-.->" if kinds[name] == "decision" else "-->"
            lines.append(f"    s{numbers[name]} {arrow} s{number}")
    return "\n".join(lines)


def _label(name: str) -> str:
    """A name as text that Mermaid shows and never reads as its own syntax, Markdown or HTML."""
    return "".join(
        letter if letter.isalnum() or letter in "_- ." else f"#{ord(letter)};" for letter in name
    )
