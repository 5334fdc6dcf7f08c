"""Finds every source file of the tree, so that none escapes the lint and no test file is left without a target.

Each package calls `sources()` last in its BUILD file. The target collects the package's files and those of every package
below, wherever they are: a package that forgets the call is an error that names the missing target, and a folder without a BUILD
file belongs to the package above it. `//:sources` is then the whole tree.
"""

_KINDS = ["**/*.py", "**/*.pyi", "**/*.rs"]

_CLAIMING = ["py_test", "rust_binary", "rust_library", "rust_proc_macro", "rust_shared_library", "rust_test"]

# Folders of the root that hold no source of this project.
_FOREIGN = ["bazel-", ".", "dist", "target"]

def _without_links(packages):
    """Bazel's convenience links in a module below (tests/consumer) are ignored folders, but listed."""
    return [p for p in packages if not [part for part in p.split("/") if part.startswith("bazel-")]]

def _of_the_root():
    patterns, folders = [], []
    for entry in native.glob(["*"], exclude_directories = 0) + native.subpackages(include = ["*"], allow_empty = True):
        # Never walk the convenience links: they lead to all that was ever built.
        if not [f for f in _FOREIGN if entry == f or (f[-1] in "-." and entry.startswith(f))]:
            patterns += [entry + "/" + kind for kind in _KINDS]
            folders.append(entry)
    files = native.glob(["*.py", "*.pyi", "*.rs"] + patterns, allow_empty = True)
    return files, _without_links(native.subpackages(include = folders + [f + "/**" for f in folders], allow_empty = True))

def _srcs_of_targets():
    claimed = {}
    suites = [rule for rule in native.existing_rules().values() if rule["kind"] == "test_suite"]
    in_suites = [test for suite in suites for test in suite["tests"]]

    for rule in native.existing_rules().values():
        if rule["kind"] not in _CLAIMING:
            continue

        # A manual test runs only by name or in a suite; a manual crate may be a dependency or only linted.
        if rule["kind"] == "py_test" and "manual" in rule["tags"] and ":" + rule["name"] not in in_suites:
            continue
        for src in rule["srcs"]:
            if src.startswith(":"):
                claimed[src] = None
    return claimed.keys()

def sources():
    """Makes `:sources` (every source file here and below) and `:claimed` (those that a test or a crate of its own compiles)."""
    if native.package_name():
        files = native.glob(_KINDS, allow_empty = True)
        below = _without_links(native.subpackages(include = ["**"], allow_empty = True))
        prefix = "//" + native.package_name() + "/"
    else:
        files, below = _of_the_root()
        prefix = "//"
    native.filegroup(
        name = "sources",
        testonly = True,
        srcs = files + [prefix + package + ":sources" for package in below],
        visibility = ["//:__subpackages__"],
    )
    native.filegroup(
        name = "claimed",
        testonly = True,
        srcs = _srcs_of_targets() + [prefix + package + ":claimed" for package in below],
        visibility = ["//:__subpackages__"],
    )
