"""Lines on the error output, without rich: errors and notes need to come fast."""

import os
import sys
from typing import TextIO

_RED, _YELLOW, _DIM, _PLAIN = "\x1b[1;31m", "\x1b[33m", "\x1b[2m", "\x1b[0m"


def lenient_streams() -> None:
    """Let no character that the terminal can't show end the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def flush_streams() -> None:
    """Write out what was printed: a reader who left is noticed here, not while Python exits."""
    sys.stdout.flush()
    sys.stderr.flush()


def error(text: str) -> None:
    """Say what went wrong."""
    _line("error: ", text, _RED)


def warning(text: str) -> None:
    """Say what was noticed."""
    _line("warning: ", text, _YELLOW)


def note(text: str) -> None:
    """Say something in passing."""
    line = f"{_DIM}{text}{_PLAIN}" if _has_colours(sys.stderr) else text
    print(line, file=sys.stderr, flush=True)


def _line(label: str, text: str, colour: str) -> None:
    # A template's problems bring their place and their label along.
    first = text.partition("\n")[0]
    if f": {label.rstrip(': ')}[" in first:
        label = ""
    if label and _has_colours(sys.stderr):
        label = f"{colour}{label}{_PLAIN}"
    print(f"{label}{text}", file=sys.stderr, flush=True)


def _has_colours(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()
