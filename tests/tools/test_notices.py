"""Which licences may be linked, and whose text goes into the notices."""

from pathlib import Path

import pytest

from tools.licenses.notices import is_accepted, notices


def crate(folder: Path, name: str, licence: str, **texts: str) -> list[Path]:
    """Write a crate and return the files that Bazel would pass."""
    source = folder / name
    source.mkdir()
    files = [source / "Cargo.toml"]
    files[0].write_text(f'[package]\nname = "{name}"\nversion = "1.2.3"\nlicense = "{licence}"\n')
    for file, text in texts.items():
        files.append(source / file.replace("_", "-"))
        files[-1].write_text(text)
    return files


@pytest.mark.parametrize(
    "expression",
    ["MIT", "Apache-2.0 OR GPL-3.0-only", "MPL-2.0/MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"],
)
def test_an_accepted_licence_or_choice_passes(expression: str) -> None:
    assert is_accepted(expression)


@pytest.mark.parametrize("expression", ["", "GPL-3.0-only", "MIT AND MPL-2.0", "MITX"])
def test_any_other_licence_does_not(expression: str) -> None:
    assert not is_accepted(expression)


def test_crates_with_the_same_text_share_it(tmp_path: Path) -> None:
    files = crate(tmp_path, "b", "MIT", LICENSE="Be kind.  \n")
    files += crate(tmp_path, "a", "MIT", LICENSE="Be kind.\n")
    text = notices(files, "And Rust's own.\n")
    assert text.count("Be kind.\n") == 1
    assert "\na 1.2.3, b 1.2.3\n" in text
    assert text.endswith("And Rust's own.\n")


def test_of_a_choice_only_mit_is_passed_on_but_a_notice_always(tmp_path: Path) -> None:
    files = crate(
        tmp_path, "a", "MIT OR Apache-2.0", LICENSE_MIT="m", LICENSE_APACHE="long", NOTICE="n"
    )
    text = notices(files, "")
    assert "\nm\n\nn\n" in text
    assert "long" not in text


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    files = crate(tmp_path, "a", "MIT", LICENSE="1") + crate(tmp_path, "b", "MIT", LICENSE="2")
    assert notices(files, "") == notices(files[::-1], "")


def test_a_crate_without_a_licence_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a 1\.2\.3: no licence file"):
        notices(crate(tmp_path, "a", "MIT"), "")


def test_a_crate_under_another_licence_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a 1\.2\.3: no accepted licence in 'GPL-3\.0-only'"):
        notices(crate(tmp_path, "a", "GPL-3.0-only", COPYING="g"), "")
