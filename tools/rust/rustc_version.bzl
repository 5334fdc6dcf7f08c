"""The version of the rustc that builds, as an environment file: what rust/bindings/build.rs is to Cargo."""

def _rustc_version_impl(ctx):
    toolchain = ctx.toolchains["@rules_rust//rust:toolchain_type"]
    out = ctx.actions.declare_file(ctx.label.name + ".env")
    ctx.actions.run_shell(
        arguments = [toolchain.rustc.path, out.path],
        # "rustc 1.95.0 (59807616e 2026-04-14)": asked of the compiler itself, since a toolchain may only claim a version.
        command = 'line=$("$1" --version) && set -- $line "$2" && echo "RUSTC_VERSION=$2" > "${!#}"',
        inputs = depset([toolchain.rustc], transitive = [toolchain.rustc_lib]),
        mnemonic = "RustcVersion",
        outputs = [out],
        progress_message = "Asking rustc for its version",
    )
    return [DefaultInfo(files = depset([out]))]

rustc_version = rule(
    doc = "Writes `RUSTC_VERSION=1.2.3` for the `rustc_env_files` of a Rust target.",
    implementation = _rustc_version_impl,
    toolchains = ["@rules_rust//rust:toolchain_type"],
)
