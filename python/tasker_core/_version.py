"""The version of the Python files; `_extension` compares it with that of the compiled core."""

__version__ = "0.1.0"
