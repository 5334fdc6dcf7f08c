"""Durable workflows for Python."""

from tasker_core._tasker_core import get_rust_version, get_version, health_check

__version__ = get_version()


def version() -> str:
    """Return the version of the package, e.g. `0.1.0`."""
    return __version__


__all__ = ["__version__", "get_rust_version", "get_version", "health_check", "version"]
