"""Lint as tests: one target a check, all through tools/lint/main.py, configured by pyproject.toml alone."""

load("@rules_python//python:defs.bzl", "py_test")

def lint_test(name, files = {}, deps = [], data = [], size = "small"):
    """Runs the check that is called like the target.

    Args:
      name: the target and the check.
      files: option -> target whose files follow that option on the command line.
      deps: the tool, and what it imports.
      data: other files that the tool needs.
      size: as in any test.
    """
    args = [name]
    for option, target in files.items():
        args += [option] if option else []
        args.append("$(rootpaths %s)" % target)
    py_test(
        name = name,
        size = size,
        srcs = ["main.py"],
        args = args,
        data = data + files.values() + ["//:pyproject.toml"],
        main = "main.py",
        deps = deps,
    )
