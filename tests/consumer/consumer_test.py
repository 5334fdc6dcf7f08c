"""Uses tasker_core as a stranger does: its public target, another Python, nobody's flags."""

from __future__ import annotations

import sys
import unittest

import pydantic

import tasker_core


class Consumer(unittest.TestCase):
    """What `@tasker_core//python:tasker_core` brings."""

    def test_the_extension_runs_under_this_modules_python(self) -> None:
        """The default of the root module is what counts."""
        self.assertEqual(sys.version_info[:2], (3, 12))
        self.assertTrue(tasker_core.health_check())
        self.assertIn("rustc 1.", tasker_core.get_rust_version())

    def test_its_dependencies_come_along(self) -> None:
        """They are those of tasker_core's lock file, found where Bazel laid them."""
        self.assertIn("tasker_core_pypi", str(pydantic.__file__))


if __name__ == "__main__":
    unittest.main()
