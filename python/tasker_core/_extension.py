"""The compiled core as `core`, or one line that says why it cannot serve.

Python's own words for these cases name a private module or a dynamic linker. `tasker_core` imports
this module first, so that whoever has half an installation reads what to do.
"""

import os
import warnings

from tasker_core._version import __version__

__all__ = ["core"]

_DISTRIBUTION = "tasker-core-py"
_FOLDER = os.path.dirname(__file__)


def _why_it_does_not_load(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == "tasker_core._tasker_core":
        return (
            f"tasker_core has no compiled core in {_FOLDER}: install the package with "
            f"`pip install {_DISTRIBUTION}`, or build a checkout with `maturin develop`"
        )
    reason = " ".join(str(error).split())
    return f"tasker_core cannot load its compiled core in {_FOLDER}: {reason}"


def _warn_of_a_debug_build() -> None:
    # A checkout has no distribution: there a debug build is what its builder asked for.
    from importlib.metadata import PackageNotFoundError, version

    try:
        version(_DISTRIBUTION)
    except PackageNotFoundError:
        return
    # No file and no line: the fault lies with the installation, not with the code that imports it.
    warnings.warn_explicit(
        "tasker_core is a debug build, many times slower than a release; for a fast one install a "
        "wheel, or build with `maturin develop --release`",
        RuntimeWarning,
        filename="tasker_core",
        lineno=0,
    )


try:
    import tasker_core._tasker_core as core
except ImportError as error:
    raise ImportError(_why_it_does_not_load(error), name="tasker_core._tasker_core") from None

if core.get_version() != __version__:
    raise ImportError(
        f"tasker_core {__version__} found a compiled core of version {core.get_version()} in "
        f"{_FOLDER}: reinstall the package with `pip install --force-reinstall {_DISTRIBUTION}`",
        name="tasker_core._tasker_core",
    )

if core.DEBUG_BUILD:
    _warn_of_a_debug_build()
