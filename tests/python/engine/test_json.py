"""Values keep what they are on the way through JSON."""

import dataclasses
import datetime
import decimal
import enum
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tasker_core import ConversionError
from tasker_core._extension import core

LIMIT = 4 * 1024 * 1024


def to_json(value: Any) -> str:
    return core.to_json(value, what="value", limit=LIMIT)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_json_takes_comes_back_the_same(value: Any) -> None:
    text = to_json(value)
    assert json.loads(text) == json.loads(json.dumps(value, allow_nan=False))
    assert json.loads(text) == value


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Name(str, enum.Enum):
    ADA = "ada"


@dataclasses.dataclass
class Point:
    x: int
    when: datetime.date


class Order(BaseModel):
    id: uuid.UUID
    total: decimal.Decimal


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Name.ADA, "ada"),
        (True, True),
        ((1, (2,)), [1, [2]]),
        (2**200, 2**200),
        (-(2**63) - 1, -(2**63) - 1),
        (1e300, 1e300),
        (datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.timezone.utc), "2026-01-02T03:00:00Z"),
        (datetime.timedelta(seconds=90), "PT1M30S"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Point(1, datetime.date(2026, 1, 2)), {"x": 1, "when": "2026-01-02"}),
        (
            Order(id=uuid.UUID(int=1), total=decimal.Decimal("9.90")),
            {"id": "00000000-0000-0000-0000-000000000001", "total": "9.90"},
        ),
    ],
)
def test_models_dates_and_the_like_become_plain(value: Any, plain: Any) -> None:
    assert json.loads(to_json({"value": [value]})) == {"value": [plain]}


@pytest.mark.parametrize(
    ("value", "path", "why"),
    [
        ({"a": [0, {"b": float("inf")}]}, '["a"][1]["b"]', "inf is no number"),
        ([{"k": {1: 2}}], '[0]["k"]', "keys must be text"),
        ({"a": object()}, '["a"]', "no form in JSON"),
        ({"a": ["ok", "\udfff"]}, '["a"][1]', "surrogate"),
        ({"\ud800": 1}, "", "surrogate"),
    ],
)
def test_what_json_cannot_say_is_an_error_with_its_path(value: Any, path: str, why: str) -> None:
    with pytest.raises(ConversionError, match=why) as raised:
        to_json(value)
    assert raised.value.path == path
    assert str(raised.value).startswith(f"value{path}: ")


def test_depth_and_size_are_bounded() -> None:
    nest: Any = 1
    for _ in range(200):
        nest = [nest]
    with pytest.raises(ConversionError, match="nested deeper than 128"):
        to_json(nest)
    with pytest.raises(ConversionError, match="more than 100 bytes"):
        core.to_json(["x" * 60] * 3, what="value", limit=100)


def test_an_error_of_a_model_is_not_hidden() -> None:
    class Broken(BaseModel):
        def model_dump(self, **_options: Any) -> Any:
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        to_json([Broken()])
