"""The notices of the crates that a Rust library links, as Bazel's own dependency graph knows them.

Not what `cargo metadata` lists: that names proc macros and build dependencies too, which run on the build machine and are not shipped.
"""

load("@rules_rust//rust:rust_common.bzl", "DepInfo")

_LICENCES = ("COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE", "UNLICENSE")

def _is_notice(file):
    at_top = file.dirname == file.owner.workspace_root
    return at_top and (file.basename == "Cargo.toml" or file.basename.upper().startswith(_LICENCES))

def _third_party_notices_impl(ctx):
    crates = [
        crate
        for crate in ctx.attr.library[DepInfo].transitive_crates.to_list()
        if crate.type != "proc-macro" and crate.owner.workspace_name != ctx.label.workspace_name
    ]
    files = [file for crate in crates for file in crate.compile_data.to_list() if _is_notice(file)]
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    args = ctx.actions.args()
    args.use_param_file("@%s")
    args.set_param_file_format("multiline")
    args.add("--out", out)
    args.add("--more", ctx.file.more)
    args.add_all(files)
    ctx.actions.run(
        arguments = [args],
        executable = ctx.executable._tool,
        inputs = files + [ctx.file.more],
        mnemonic = "ThirdPartyNotices",
        outputs = [out],
        progress_message = "Collecting licence notices for %{label}",
    )
    return [DefaultInfo(files = depset([out]))]

third_party_notices = rule(
    doc = "Writes NAME.txt: the licence texts of every third-party crate that `library` links, then those in `more`.",
    implementation = _third_party_notices_impl,
    attrs = {
        "library": attr.label(doc = "A Rust library of any kind.", mandatory = True, providers = [DepInfo]),
        "more": attr.label(doc = "Notices of what no crate stands for.", allow_single_file = [".txt"], mandatory = True),
        "_tool": attr.label(cfg = "exec", default = ":notices", executable = True),
    },
)
