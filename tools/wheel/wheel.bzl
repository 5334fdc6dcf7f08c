"""Makes a wheel of a Python package with a compiled extension.

Not rules_python's `py_wheel`: that one writes metadata 2.1 by hand from attributes, has no licence expression and makes every file
executable. Here `[project]` of pyproject.toml is the only source, as it is for pip.
"""

load("//tools/rust:release.bzl", "release")

def _path_in_wheel(file, prefix):
    """Where a file of the package goes, or None: a file below `prefix` keeps its path from there."""
    path = file.short_path
    if path.startswith("../"):
        path = path.split("/", 2)[2]
    return path.removeprefix(prefix) if path.startswith(prefix) else None

def _tasker_wheel_impl(ctx):
    # A rule that has a transition on an attribute sees that attribute as a list.
    package = ctx.attr.package[0]
    repository = package.label.workspace_name
    prefix = package.label.package + "/"
    files = {}
    for file in package[DefaultInfo].default_runfiles.files.to_list():
        path = _path_in_wheel(file, prefix) if file.owner.workspace_name == repository else None
        if path:
            files[path] = file

    # Python's own name for an extension that serves every version.
    extension = ctx.attr.extension.removesuffix(".so") + ".abi3.so"
    if ctx.attr.extension not in files:
        fail("%s: no %s among %s" % (ctx.label, ctx.attr.extension, files.keys()))
    files[extension] = files.pop(ctx.attr.extension)

    # A folder, because the wheel's name tells its platform, which only the built extension knows.
    folder = ctx.actions.declare_directory(ctx.label.name)
    args = ctx.actions.args()
    args.use_param_file("@%s")
    args.set_param_file_format("multiline")
    args.add("--pyproject", ctx.file.pyproject)
    args.add("--extension", extension)
    args.add_all("--folder", [folder], expand_directories = False)
    for path, file in files.items():
        args.add("--file", file, format = path + "=%s")
    ctx.actions.run(
        arguments = [args],
        executable = ctx.executable._tool,
        inputs = files.values() + [ctx.file.pyproject] + ctx.files.texts,
        mnemonic = "TaskerWheel",
        outputs = [folder],
        progress_message = "Making the wheel %{label}",
    )
    return [DefaultInfo(files = depset([folder]), runfiles = ctx.runfiles([folder]))]

tasker_wheel = rule(
    doc = "Writes a folder NAME that holds one wheel, always of a release build.",
    implementation = _tasker_wheel_impl,
    attrs = {
        "extension": attr.string(
            doc = "The compiled extension's path from the package's parent folder, e.g. `tasker_core/_tasker_core.so`.",
            mandatory = True,
        ),
        "package": attr.label(
            # On the rule, so that whoever builds or depends on the wheel needs no flag.
            cfg = release,
            doc = "The py_library; what lies below its BUILD file's folder goes into the wheel.",
            mandatory = True,
        ),
        "pyproject": attr.label(
            allow_single_file = [".toml"],
            mandatory = True,
        ),
        "texts": attr.label_list(
            allow_files = True,
            doc = "The README and the licence files that pyproject.toml names.",
        ),
        "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
        "_tool": attr.label(cfg = "exec", default = ":build_wheel", executable = True),
    },
)
