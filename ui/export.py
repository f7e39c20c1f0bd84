"""Tables as files to take away."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return rows, each with a value for every column, as CSV with a header."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: object) -> object:
    # A spreadsheet would take it for a formula (OWASP, CSV injection).
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def json_text(records: Iterable[Mapping[str, object]]) -> str:
    """Return records as a JSON list; what JSON has no form for is written as text."""
    return json.dumps(list(records), default=_plain, ensure_ascii=False, indent=2)


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
