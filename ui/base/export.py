"""Tables as CSV and JSON for downloads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it Excel takes UTF-8 for the encoding of its own Windows."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return rows, each with a value for every column, as CSV with a header, which Excel opens as it is."""
    buffer = io.StringIO()
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: object) -> object:
    # A spreadsheet would evaluate it as a formula (OWASP, CSV injection).
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def json_text(records: Iterable[Mapping[str, object]]) -> str:
    """Return records as a JSON list; values that JSON cannot represent become text."""
    return json.dumps(list(records), default=_as_json, ensure_ascii=False, indent=2)


def _as_json(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
