"""Routing decisions as CSV or JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from db.routing.models import RoutingMetric
from ui.base.export import csv_text, json_text

COLUMNS: Final = (
    "id", "user_id", "request_id", "timestamp", "provider", "model", "route", "auto_route",
    "prompt_fingerprint", "prompt_length", "input_tokens", "output_tokens", "cost", "latency_ms", "success",
    "error_kind", "fallback", "fallback_from", "dropped",
)  # fmt: skip


def as_csv(metrics: Iterable[RoutingMetric]) -> str:
    """Return decisions as CSV with a header."""
    return csv_text(COLUMNS, ([getattr(metric, column) for column in COLUMNS] for metric in metrics))


def as_json(metrics: Iterable[RoutingMetric]) -> str:
    """Return decisions as a JSON list, with their prompts and metadata."""
    columns = (*COLUMNS, "prompt", "metadata")
    return json_text({column: getattr(metric, column) for column in columns} for metric in metrics)
