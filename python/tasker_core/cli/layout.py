"""A template's steps as lines of a tree.

Steps that may run beside each other are branches; what waits for all of them goes on below, not
further right, so that a long chain stays narrow:

    validate_order
    ├ reserve_stock
    ╰ charge_card
    ship
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

# What all steps without dependencies hang from.
_ROOT = -1


class Line(NamedTuple):
    """A step's place in the tree."""

    guide: str
    name: str


def tree(dependencies: Mapping[str, Sequence[str]]) -> list[Line]:
    """Lay out steps.

    Args:
        dependencies: What each step waits for; no cycles.

    Returns:
        Each step once, after all that it waits for.
    """
    names = list(dependencies)
    positions = {name: position for position, name in enumerate(names)}
    needs = [[positions[one] for one in dependencies[name]] for name in names]
    children, branches = _dominated(needs)
    lines: list[Line] = []
    try:
        _below(_ROOT, "", names, children, branches, lines)
    except RecursionError:
        return [Line("", name) for name in names]
    return lines


def _below(
    step: int,
    guide: str,
    names: list[str],
    children: dict[int, list[int]],
    is_branch: list[bool],
    lines: list[Line],
) -> None:
    """Add what hangs from a step: its branches to the right, then what follows them all."""
    below = children.get(step, [])
    branches = [one for one in below if is_branch[one]]
    following = [one for one in below if not is_branch[one]]
    if len(branches) == 1 or (step == _ROOT and not following and not children.keys() & below):
        branches, following = [], below
    for number, branch in enumerate(branches):
        first, rest = _guides(number, len(branches), step == _ROOT)
        lines.append(Line(guide + first, names[branch]))
        _below(branch, guide + rest, names, children, is_branch, lines)
    for one in following:
        lines.append(Line(guide, names[one]))
        _below(one, guide, names, children, is_branch, lines)


def _guides(number: int, branches: int, at_root: bool) -> tuple[str, str]:
    if number == branches - 1:
        return "╰ ", "  "
    return ("┌ " if at_root and number == 0 else "├ "), "│ "


def _dominated(needs: list[list[int]]) -> tuple[dict[int, list[int]], list[bool]]:
    """Hang each step from the nearest one that all ways to it lead through.

    Also answers which steps wait for that one alone.
    """
    above = [_ROOT] * len(needs)
    depth = [0] * len(needs)
    children: dict[int, list[int]] = {}
    is_branch = [True] * len(needs)
    for step in _in_order(needs):
        parent = _common(needs[step], above, depth)
        above[step] = parent
        depth[step] = depth[parent] + 1 if parent != _ROOT else 0
        is_branch[step] = all(need == parent for need in needs[step])
        children.setdefault(parent, []).append(step)
    return children, is_branch


def _common(needs: Iterable[int], above: list[int], depth: list[int]) -> int:
    common: int | None = None
    for need in needs:
        other = need
        while common is not None and common != other:
            if common == _ROOT or other == _ROOT:
                common = other = _ROOT
            elif depth[common] >= depth[other]:
                common = above[common]
            else:
                other = above[other]
        common = other
    return _ROOT if common is None else common


def _in_order(needs: list[list[int]]) -> list[int]:
    """Each step after those it needs; else as they were given."""
    waiting = [len(set(one)) for one in needs]
    dependants: dict[int, list[int]] = {}
    for step, one in enumerate(needs):
        for need in set(one):
            dependants.setdefault(need, []).append(step)
    order = [step for step, number in enumerate(waiting) if number == 0]
    for step in order:
        for dependant in dependants.get(step, []):
            waiting[dependant] -= 1
            if waiting[dependant] == 0:
                order.append(dependant)
    return order
