"""Collects the licence texts of the libraries that the compiled core links.

Most of them ask that their notice goes wherever their code goes, and it goes into the wheel. Bazel
names the crates that are linked (`third_party.bzl`); this reads their Cargo.toml and licence files.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from pathlib import Path

import tomli

# Licences whose only duty is to pass the notice on. Another one is for a person to judge, and then
# to be added here.
ACCEPTED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}
_RULE = "-" * 80
_HEAD = """\
Third-party software in tasker_core's compiled core

Each library below is linked into the core, under the licence that follows its name; where its
authors offer a choice that includes the MIT licence, that one was chosen. SQLite, which
libsqlite3-sys contains, is in the public domain. Generated: see tools/licenses.
"""


def is_accepted(expression: str) -> bool:
    """Tell whether a crate under this licence expression may be linked.

    One accepted alternative is enough; where licences apply together, each must be accepted.
    """
    names = re.split(r"/|\bOR\b|\bAND\b", re.sub(r"[()]", "", expression))
    accepted = [name.strip() in ACCEPTED for name in names]
    return all(accepted) if re.search(r"\bAND\b", expression) else any(accepted)


def licence_text(files: list[Path]) -> str:
    """Join a crate's licence files; of a choice that includes MIT, leave the others out."""
    if any("MIT" in file.name.upper() for file in files):
        files = [
            file
            for file in files
            if not re.search("APACHE|UNLICENSE|COPYING|BSD|ZLIB", file.name.upper())
        ]
    texts = [file.read_text("utf-8") for file in sorted(files, key=lambda file: file.name)]
    return "\n\n".join(
        "\n".join(line.rstrip() for line in text.strip("\n\ufeff").splitlines()) for text in texts
    )


def notices(files: list[Path], more: str) -> str:
    """Return the document for the crates whose Cargo.toml and licence files are given, then `more`.

    Raises:
        ValueError: a crate has no licence file, or a licence that is not on the list.
    """
    crates: dict[Path, list[Path]] = defaultdict(list)
    for file in files:
        crates[file.parent].append(file)
    by_text: dict[str, list[str]] = defaultdict(list)
    for folder, contents in crates.items():
        package = tomli.loads((folder / "Cargo.toml").read_text("utf-8"))["package"]
        name = f"{package['name']} {package['version']}"
        text = licence_text([file for file in contents if file.name != "Cargo.toml"])
        if not text:
            raise ValueError(f"{name}: no licence file")
        if not is_accepted(package.get("license", "")):
            raise ValueError(f"{name}: no accepted licence in {package.get('license')!r}")
        by_text[text].append(name)
    sections = sorted((sorted(names), text) for text, names in by_text.items())
    parts = [
        _HEAD,
        *(f"{_RULE}\n{', '.join(names)}\n{_RULE}\n\n{text}\n" for names, text in sections),
        more,
    ]
    return "\n".join(parts)


def main() -> None:
    """Run one Bazel action, whose arguments may stand in a file."""
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--more", type=Path, required=True)
    parser.add_argument("files", type=Path, nargs="+")
    arguments = parser.parse_args()
    text = notices(arguments.files, arguments.more.read_text("utf-8"))
    arguments.out.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
