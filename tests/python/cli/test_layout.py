"""Steps as lines of a tree."""

from collections.abc import Callable

import pytest

from tasker_core.cli.layout import tree


def drawn(**needs: str) -> list[str]:
    """The lines of steps that need others, by their names."""
    lines = tree({name: needed.split() for name, needed in needs.items()})
    return [line.guide + line.name for line in lines]


def test_a_chain_stays_at_the_left() -> None:
    assert drawn(c="b", b="a", a="") == ["a", "b", "c"]


def test_branches_hang_from_where_they_part_and_what_joins_them_goes_on_below() -> None:
    assert drawn(a="", b="a", c="a", d="b c", e="d") == ["a", "├ b", "╰ c", "d", "e"]


def test_a_branch_of_several_steps_stays_together() -> None:
    assert drawn(a="", b="a", c="a", b2="b", d="b2 c") == ["a", "├ b", "│ b2", "╰ c", "d"]


def test_branches_part_again() -> None:
    lines = drawn(a="", b="a", c="a", b1="b", b2="b", b3="b1 b2", d="b3 c")
    assert lines == ["a", "├ b", "│ ├ b1", "│ ╰ b2", "│ b3", "╰ c", "d"]


def test_several_first_steps_that_join() -> None:
    assert drawn(a="", b="", c="a b") == ["┌ a", "╰ b", "c"]


def test_steps_that_have_nothing_to_do_with_each_other() -> None:
    assert drawn(a="", b="", c="") == ["a", "b", "c"]


def test_a_shortcut_is_no_branch() -> None:
    assert drawn(a="", b="a", c="a b") == ["a", "b", "c"]


@pytest.mark.parametrize("shape", ["chain", "fan", "ladder"])
def test_ten_thousand_steps_are_all_there_each_after_what_it_needs(shape: str) -> None:
    before: dict[str, Callable[[int], list[int]]] = {
        "chain": lambda number: [number - 1],
        "fan": lambda number: [0] if number else [],
        "ladder": lambda number: [number - 2, number - 3],
    }
    needs = {str(n): [str(one) for one in before[shape](n) if one >= 0] for n in range(10_000)}
    places = {line.name: place for place, line in enumerate(tree(needs))}
    assert len(places) == 10_000
    assert all(places[need] < places[name] for name, needed in needs.items() for need in needed)
