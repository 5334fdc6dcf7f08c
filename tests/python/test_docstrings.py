"""Every example in a docstring runs."""

import doctest
import importlib
import pkgutil

import pytest

import tasker_core

MODULES = [
    found.name
    for found in pkgutil.walk_packages(tasker_core.__path__, "tasker_core.")
    if "_tasker_core" not in found.name and not found.name.endswith("__main__")
]


@pytest.mark.parametrize("name", ["tasker_core", *MODULES])
def test_the_examples_of_a_module_run(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    count = sum(
        len(one.examples) for name in MODULES for one in finder.find(importlib.import_module(name))
    )
    assert count > 20
