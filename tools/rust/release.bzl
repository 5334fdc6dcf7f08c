"""The build that is shipped, whatever the command line says: for the wheel, and for what measures speed."""

load("@rules_python//python:py_info.bzl", "PyInfo")

_RELEASE = str(Label("//tools/rust:release"))
_MODE = "//command_line_option:compilation_mode"

def _release_impl(_settings, _attr):
    return {_MODE: "opt", _RELEASE: True}

release = transition(
    implementation = _release_impl,
    inputs = [],
    outputs = [_MODE, _RELEASE],
)

def _released_library_impl(ctx):
    # A rule that has a transition on an attribute sees that attribute as a list.
    library = ctx.attr.library[0]
    files = library[DefaultInfo]
    return [
        DefaultInfo(files = files.files, runfiles = files.default_runfiles),
        library[PyInfo],
    ]

released_library = rule(
    doc = "A py_library as it is shipped, for the `deps` of another Python target.",
    implementation = _released_library_impl,
    attrs = {
        "library": attr.label(
            cfg = release,
            mandatory = True,
            providers = [PyInfo],
        ),
        "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
    },
)
