"""What every crate of this project has: the crate, its unit and integration tests, clippy and rustfmt as tests.

The dependencies come from Cargo.toml; only the crates of this workspace are named in BUILD files.
"""

load("@bazel_skylib//rules:build_test.bzl", "build_test")
load("@rules_rust//rust:defs.bzl", "rust_binary", "rust_clippy", "rust_library", "rust_shared_library", "rust_test", "rustfmt_test")
load("@tasker_core_crates//:defs.bzl", "aliases", "all_crate_deps")

EDITION = "2021"

# For what is linked in development.
_LINKER = ["//tools/rust:lld", "//tools/rust:lld_itself"]
_LINK = ["@$(execpath //tools/rust:lld)"]

def _lint(name, targets):
    rust_clippy(
        name = name + "_clippy_run",
        testonly = True,
        tags = ["manual"],
        deps = targets,
    )

    # rust_clippy only builds; it fails on any warning.
    build_test(
        name = name + "_clippy",
        size = "small",
        targets = [name + "_clippy_run"],
    )
    rustfmt_test(
        name = name + "_rustfmt",
        size = "small",
        targets = targets,
    )

def tasker_crate(name, crate_name, deps = [], test_deps = [], test_data = [], test_env = {}, visibility = ["//rust:__subpackages__"]):
    """A library crate in src/, its unit tests, one test for each file in tests/, and one benchmark for each in benches/.

    Args:
      name: the target; also the prefix of the others.
      crate_name: as `use` spells it.
      deps: the crates of this workspace that it uses.
      test_deps: those that only its tests use.
      test_data: files that its tests read.
      test_env: environment variables of its tests.
      visibility: of the library.
    """
    rust_library(
        name = name,
        srcs = native.glob(["src/**/*.rs"]),
        aliases = aliases(),
        compile_data = native.glob(["src/**"], exclude = ["src/**/*.rs"], allow_empty = True),
        crate_name = crate_name,
        edition = EDITION,
        proc_macro_deps = all_crate_deps(proc_macro = True),
        version = "0.1.0",
        visibility = visibility,
        deps = deps + all_crate_deps(normal = True),
    )
    rust_test(
        name = name + "_test",
        size = "small",
        aliases = aliases(normal_dev = True, proc_macro_dev = True),
        compile_data = _LINKER,
        crate = name,
        data = test_data,
        edition = EDITION,
        env = test_env,
        proc_macro_deps = all_crate_deps(proc_macro_dev = True),
        rustc_flags = _LINK,
        deps = test_deps + all_crate_deps(normal_dev = True),
    )
    linted = [name, name + "_test"]
    for file in native.glob(["tests/*.rs"], allow_empty = True):
        test = name + "_" + file.removeprefix("tests/").removesuffix(".rs") + "_test"
        linted.append(test)
        rust_test(
            name = test,
            size = "small",
            srcs = [file] + native.glob(["tests/*/**/*.rs"], allow_empty = True),
            aliases = aliases(normal_dev = True, proc_macro_dev = True),
            compile_data = _LINKER,
            crate_root = file,
            data = test_data,
            edition = EDITION,
            env = test_env,
            proc_macro_deps = all_crate_deps(proc_macro = True, proc_macro_dev = True),
            rustc_flags = _LINK,
            deps = [name] + deps + test_deps + all_crate_deps(normal = True, normal_dev = True),
        )
    for file in native.glob(["benches/*.rs"], allow_empty = True):
        bench = name + "_" + file.removeprefix("benches/").removesuffix(".rs") + "_bench"
        linted.append(bench)
        rust_binary(
            name = bench,
            testonly = True,
            srcs = [file],
            aliases = aliases(normal_dev = True, proc_macro_dev = True),
            compile_data = _LINKER,
            crate_root = file,
            edition = EDITION,
            proc_macro_deps = all_crate_deps(proc_macro = True, proc_macro_dev = True),
            rustc_flags = _LINK,
            tags = ["manual"],
            deps = [name] + deps + all_crate_deps(normal = True, normal_dev = True),
        )
    _lint(name, linted)

def tasker_extension(name, crate_features = [], deps = [], rustc_env_files = [], linted = [], visibility = None):
    """The crate that Python loads.

    It has no unit test: a test binary would have to link an interpreter.

    Args:
      name: the target, and the module's name.
      crate_features: Cargo features.
      deps: the crates of this workspace that it uses.
      rustc_env_files: files of environment variables for the compiler.
      linted: other Rust targets of the package.
      visibility: of the library.
    """
    rust_shared_library(
        name = name,
        srcs = native.glob(["src/**/*.rs"]),
        aliases = aliases(),
        crate_features = crate_features,
        crate_name = name,
        edition = EDITION,
        proc_macro_deps = all_crate_deps(proc_macro = True),
        compile_data = _LINKER,
        rustc_env_files = rustc_env_files,
        rustc_flags = select({
            # The interpreter brings Python's symbols when it loads the module.
            "@platforms//os:macos": [
                "-Clink-arg=-undefined",
                "-Clink-arg=dynamic_lookup",
            ],
            "//conditions:default": [],
        }) + select({
            # The same as [profile.release] of Cargo.toml.
            "//tools/rust:is_release": [
                "-Ccodegen-units=1",
                "-Clto=fat",
                "-Cstrip=symbols",
            ],
            "//conditions:default": _LINK,
        }),
        version = "0.1.0",
        visibility = visibility,
        deps = deps + all_crate_deps(normal = True),
    )
    _lint(name, [name] + linted)
