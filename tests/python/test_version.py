"""What the package says about itself."""

import tasker_core


def test_the_rust_version_names_crate_and_compiler() -> None:
    text = tasker_core.get_rust_version()
    assert text.startswith(
        f"tasker-worker-py {tasker_core.__version__} (tasker-py compatible, rustc 1."
    )


def test_the_core_is_healthy() -> None:
    assert tasker_core.health_check() is True
