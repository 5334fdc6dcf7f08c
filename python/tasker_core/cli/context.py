"""Reading a task's context. Its values may be secrets: no message repeats what it holds."""

import json
import sys
from pathlib import Path
from typing import Any

from tasker_core.cli.exit import CommandError

_KINDS = {list: "an array", str: "a string", bool: "true or false", type(None): "null"}


def read_context(given: str | None) -> dict[str, Any]:
    """Read the value of `--context`.

    Args:
        given: JSON (it starts with `{`), the name of a file that holds JSON, `-` for the standard
            input, or None for no context.

    Raises:
        CommandError: It can't be read, or is not a JSON object.
    """
    if given is None:
        return {}
    if given == "-":
        return _parse(sys.stdin.read(), "the context on the standard input")
    if given.lstrip().startswith("{"):
        return _parse(given, "the JSON after --context")
    if _is_no_path(given):
        return _parse(given, "the text after --context")
    return _parse(_read_file(given), f"the context in {given}")


def _is_no_path(given: str) -> bool:
    """Whether it was meant as JSON, so that it must not be shown as the name of a file."""
    return not given.strip() or given.lstrip()[0] in '["' or any(sign in given for sign in '{}"\n')


def _read_file(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CommandError(
            f"there is no context file {name}; JSON itself starts with a brace: "
            """--context '{"order_id": 7}'"""
        ) from None
    except UnicodeDecodeError:
        raise CommandError(f"the context in {name} is not UTF-8 text") from None
    except OSError as error:
        raise CommandError(f"the context file {name} can't be read: {error.strerror}") from None


def _parse(text: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise CommandError(
            f"{what} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except (ValueError, RecursionError):
        raise CommandError(
            f"{what} is not JSON that can be kept: a number is too long, or it is nested too deeply"
        ) from None
    if not isinstance(value, dict):
        kind = _KINDS.get(type(value), "a number")
        raise CommandError(f"""{what} is {kind}; a context is an object: {{"order_id": 7}}""")
    return value
