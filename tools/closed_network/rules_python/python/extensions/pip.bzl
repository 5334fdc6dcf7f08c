"""`pip.parse` as current rules_python spells it, on the machine's own pip: one repository a package, and a hub."""

load(":python.bzl", "find_python")
load("//python/pip_install:requirements_parser.bzl", parse_requirements = "parse")

def _normalize(name):
    return name.lower().replace("-", "_").replace(".", "_")

_REQUIRES = """
import sys
from importlib.metadata import distributions
from pip._vendor.packaging.requirements import Requirement
extras = [e for e in sys.argv[2].split(",") if e] or [""]
for dist in distributions(path=[sys.argv[1]]):
    for line in dist.requires or []:
        need = Requirement(line)
        if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in extras):
            print(need.name)
"""

_APPLIES = """
import sys
from pip._vendor.packaging.requirements import Requirement
for line in sys.argv[1:]:
    need = Requirement(line.split(" --hash")[0])
    print(int(need.marker is None or need.marker.evaluate({"extra": ""})))
"""

_PACKAGE = """
load("@rules_python//python:defs.bzl", "py_library")
package(default_visibility = ["//visibility:public"])
py_library(
    name = "pkg",
    srcs = glob(["site-packages/**/*.py"], allow_empty = True),
    data = glob(["site-packages/**/*"], exclude = ["site-packages/**/*.py", "site-packages/**/* *"]),
    imports = ["site-packages"],
    deps = {deps},
)
filegroup(name = "data", srcs = glob(["site-packages/**/*"], exclude = ["site-packages/**/* *"]))
"""

def _package_impl(ctx):
    python = find_python(ctx, ctx.attr.python_version)
    ctx.file("requirement.txt", ctx.attr.requirement + "\n")
    result = ctx.execute([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--disable-pip-version-check", "--only-binary=:all:", "--target=site-packages", "-r", "requirement.txt"], timeout = 600)
    if result.return_code:
        fail(result.stderr)
    head = ctx.attr.requirement.split("==")[0]
    extras = head.split("[")[1].split("]")[0] if "[" in head else ""

    # A sandboxed test can't keep what it compiles: without this each would compile pytest and more anew. Hashes, because times differ.
    ctx.execute([python, "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", "."], working_directory = "site-packages", timeout = 600)
    result = ctx.execute([python, "-c", _REQUIRES, "site-packages", extras])
    if result.return_code:
        fail(result.stderr)
    deps = {_normalize(name): None for name in result.stdout.split("\n") if name}
    deps = ["@%s_%s//:pkg" % (ctx.attr.hub, name) for name in deps if name in ctx.attr.locked]
    ctx.file("BUILD.bazel", _PACKAGE.format(deps = deps))

_package = repository_rule(implementation = _package_impl, environ = ["HOME", "PATH", "PYENV_ROOT"], attrs = {
    "hub": attr.string(),
    "locked": attr.string_list(),
    "python_version": attr.string(),
    "requirement": attr.string(),
})

def _hub_impl(ctx):
    for name in ctx.attr.packages:
        ctx.file(name + "/BUILD.bazel", "\n".join([
            'alias(name = "%s", actual = "@%s_%s//:%s", visibility = ["//visibility:public"])' % (alias, ctx.attr.hub, name, target)
            for alias, target in [(name, "pkg"), ("pkg", "pkg"), ("data", "data"), ("extracted_whl_files", "data")]
        ]))
    ctx.file("BUILD.bazel", "")
    ctx.file("requirements.bzl", 'def requirement(name):\n    return "@@%s//" + name.lower().replace("-", "_").replace(".", "_")\n' % ctx.name)

_hub = repository_rule(implementation = _hub_impl, attrs = {"hub": attr.string(), "packages": attr.string_list()})

def _pip_impl(module_ctx):
    # a hub may be parsed once a Python version; this build has one version, the root module's default
    version = module_ctx.read(Label("@pythons_hub//:version"))
    hubs = {}
    for mod in module_ctx.modules:
        for tag in mod.tags.parse:
            if tag.hub_name not in hubs or tag.python_version == version:
                hubs[tag.hub_name] = tag
    for hub_name, tag in hubs.items():
        requirements = parse_requirements(module_ctx.read(tag.requirements_lock)).requirements
        python = find_python(module_ctx, tag.python_version)
        result = module_ctx.execute([python, "-c", _APPLIES] + [line for _, line in requirements])
        if result.return_code:
            fail(result.stderr)
        requirements = [r for r, applies in zip(requirements, result.stdout.split("\n")) if applies == "1"]
        names = [_normalize(name) for name, _ in requirements]
        for name, line in requirements:
            _package(
                name = "%s_%s" % (hub_name, _normalize(name)),
                hub = hub_name,
                locked = names,
                python_version = tag.python_version,
                requirement = line,
            )
        _hub(name = hub_name, hub = hub_name, packages = names)

pip = module_extension(
    implementation = _pip_impl,
    tag_classes = {"parse": tag_class(attrs = {
        "hub_name": attr.string(mandatory = True),
        "python_version": attr.string(),
        "requirements_lock": attr.label(mandatory = True),
    })},
)
