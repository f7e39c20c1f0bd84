"""Column types: which texts are values, and that values of one type can be compared."""

from decimal import Decimal

import pytest

from livetables.tables.column_types import ColumnType, Comparable, read

ID = "0B6F1F4E-8C1D-4F0A-9C57-0D7C5C7C4C11"


@pytest.mark.parametrize(
    ("text", "column_type", "value"),
    [
        ("any text", ColumnType.TEXT, "any text"),
        ("-12", ColumnType.INTEGER, Decimal(-12)),
        ("9223372036854775807", ColumnType.INTEGER, Decimal(2**63 - 1)),
        ("9223372036854775808", ColumnType.INTEGER, None),
        ("1.5", ColumnType.INTEGER, None),
        ("1.5e2", ColumnType.NUMBER, Decimal(150)),
        ("NaN", ColumnType.NUMBER, None),
        ("1970-01-01T01:00:00+01:00", ColumnType.TIME, 0.0),
        ("1970-01-01", ColumnType.TIME, 0.0),
        ("yesterday", ColumnType.TIME, None),
        ("T", ColumnType.BOOLEAN, True),
        ("false", ColumnType.BOOLEAN, False),
        ("maybe", ColumnType.BOOLEAN, None),
        (ID, ColumnType.UUID, ID.lower()),
        ("7", ColumnType.UUID, None),
    ],
)
def test_a_text_is_a_value_of_a_type_or_not(
    text: str, column_type: ColumnType, value: Comparable | None
) -> None:
    assert read(text, column_type) == value
