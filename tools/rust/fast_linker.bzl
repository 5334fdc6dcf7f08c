"""LLD, which comes with the Rust toolchain, for the links of development: it takes half a second off each."""

def _fast_linker_impl(ctx):
    toolchain = ctx.toolchains["@rules_rust//rust:toolchain_type"]
    found = [file for file in toolchain.all_files.to_list() if file.basename == "rust-lld"]
    arguments = ctx.actions.declare_file(ctx.label.name + ".args")
    if not found or toolchain.target_os != "linux":
        ctx.actions.write(arguments, "")
        return [
            DefaultInfo(files = depset([arguments])),
            OutputGroupInfo(linker = depset()),
        ]

    # The compiler driver looks for it under this name, and it behaves as the name says.
    linker = ctx.actions.declare_file(ctx.label.name + "/ld.lld")
    ctx.actions.symlink(output = linker, target_file = found[0], is_executable = True)
    ctx.actions.write(arguments, "-Clink-arg=-fuse-ld=lld\n-Clink-arg=-B{}\n".format(linker.dirname))
    return [
        DefaultInfo(files = depset([arguments])),
        OutputGroupInfo(linker = depset([linker])),
    ]

fast_linker = rule(
    doc = "Writes an argument file for rustc; empty where the toolchain has no LLD.",
    implementation = _fast_linker_impl,
    toolchains = ["@rules_rust//rust:toolchain_type"],
)
