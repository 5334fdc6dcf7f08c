"""What JSON has no form for, made plain: models, dataclasses, dates, UUIDs, decimals, enums.

The compiled core calls this for values that are not plain already.
"""

from typing import Any


def jsonable(value: Any) -> Any:
    """A value as dict, list, text, number, bool or None, one level at a time.

    Raises:
        ValueError: The type has no form in JSON; the message names it.
    """
    dump = getattr(value, "model_dump", None)
    if dump is not None and not isinstance(value, type):
        return dump(mode="json")
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        # Values inside are looked at again, so that their errors have a path.
        plain = to_jsonable_python(
            value, inf_nan_mode="constants", fallback=_refuse, serialize_unknown=False
        )
    except PydanticSerializationError as error:
        raise ValueError(_unknown(value)) from error
    if plain is value:
        raise ValueError(_unknown(value))
    return plain


def _refuse(value: Any) -> Any:
    raise ValueError(_unknown(value))


def _unknown(value: Any) -> str:
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return f"{name} has no form in JSON; return plain values, a dataclass or a model"
