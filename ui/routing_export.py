"""Routing decisions as files to take away."""

from __future__ import annotations

from collections.abc import Iterable

from db.routing_models import RoutingMetric
from ui.export import csv_text, json_text

COLUMNS = (
    "id", "user_id", "request_id", "timestamp", "provider", "model", "route", "auto_route",
    "prompt_fingerprint", "prompt_length", "input_tokens", "output_tokens", "cost", "latency_ms", "success",
    "error_kind", "fallback", "fallback_from", "dropped",
)  # fmt: skip


def as_csv(metrics: Iterable[RoutingMetric]) -> str:
    """Return decisions as CSV with a header."""
    return csv_text(COLUMNS, ([getattr(metric, column) for column in COLUMNS] for metric in metrics))


def as_json(metrics: Iterable[RoutingMetric]) -> str:
    """Return decisions as a JSON list, with all that is known of them."""
    columns = (*COLUMNS, "prompt", "metadata")
    return json_text({column: getattr(metric, column) for column in columns} for metric in metrics)
