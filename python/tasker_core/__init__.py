"""Durable workflows for Python."""

from tasker_core._extension import core as _core
from tasker_core._version import __version__

get_rust_version = _core.get_rust_version
get_version = _core.get_version
health_check = _core.health_check


def version() -> str:
    """Return the version of the package, e.g. `0.1.0`."""
    return __version__


__all__ = ["__version__", "get_rust_version", "get_version", "health_check", "version"]
