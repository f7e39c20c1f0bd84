"""Routing decisions as files to take away."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping

from db.routing_models import RoutingMetric

COLUMNS = (
    "id", "user_id", "request_id", "timestamp", "provider", "model", "route", "auto_route",
    "prompt_fingerprint", "prompt_length", "input_tokens", "output_tokens", "cost", "latency_ms", "success",
    "error_kind", "fallback", "fallback_from", "dropped",
)  # fmt: skip


def as_csv(metrics: Iterable[RoutingMetric]) -> str:
    """Return decisions as CSV with a header."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for metric in metrics:
        writer.writerow([_cell(getattr(metric, column)) for column in COLUMNS])
    return file.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    # A spreadsheet would take it for a formula (OWASP, CSV injection).
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def as_json(metrics: Iterable[RoutingMetric]) -> str:
    """Return decisions as a JSON list, with all that is known of them."""
    columns = (*COLUMNS, "prompt", "metadata")
    rows = [{column: getattr(metric, column) for column in columns} for metric in metrics]
    return json.dumps(rows, default=_plain, ensure_ascii=False, indent=2)


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
