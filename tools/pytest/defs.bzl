"""One `py_test` for each test file, all through one pytest main: a test file has no main of its own, and would run nothing."""

load("@rules_python//python:defs.bzl", "py_test")

_MAIN = "//tools/pytest:main.py"

def pytest_test(name, src, deps = [], data = [], size = "small", **kwargs):
    """A test file run by pytest, configured by pyproject.toml.

    Args:
      name: the target.
      src: the file; nothing else is collected.
      deps: Python libraries beyond pytest and its plugins.
      data: files that it reads.
      size: as in any test.
      **kwargs: as in py_test.
    """
    py_test(
        name = name,
        size = size,
        srcs = [
            src,
            _MAIN,
        ],
        args = ["$(rootpath %s)" % src],
        data = data + ["//:pyproject.toml"],
        main = _MAIN,
        deps = deps + [
            "@tasker_core_pypi//pytest",
            "@tasker_core_pypi//pytest_asyncio",
        ],
        **kwargs
    )

def pytest_tests(deps = [], data = [], special = {}):
    """Names every test_*.py at and below this package: `engine/test_open.py` becomes the target `engine/test_open`.

    A folder below needs no BUILD file. conftest.py files go to the tests at and below their folder.

    Args:
      deps: of every test.
      data: of every test.
      special: file -> arguments for its target alone, e.g. {"test_stress.py": {"size": "large", "tags": ["slow"]}}; lists are added.
    """
    files = native.glob(["**/test_*.py"])
    conftests = native.glob(["**/conftest.py"], allow_empty = True)
    for unknown in special:
        if unknown not in files:
            fail("%s: no such test file" % unknown)
    for src in files:
        extra = dict(special.get(src, {}))
        pytest_test(
            name = src.removesuffix(".py"),
            src = src,
            data = data + extra.pop("data", []) + [c for c in conftests if src.startswith(c.removesuffix("conftest.py"))],
            deps = deps + extra.pop("deps", []),
            **extra
        )
