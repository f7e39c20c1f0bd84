"""Decisions as files."""

import csv
import io
import json

from db.routing.models import RoutingMetric
from tests.ui.routing.routing_samples import metric
from tests.ui.samples import HOSTILE
from ui.routing import export


def read(*metrics: RoutingMetric) -> list[dict[str, str]]:
    """Read the exported file as other programs do."""
    return list(csv.DictReader(io.StringIO(export.as_csv(metrics), newline="")))


def test_a_spreadsheet_takes_no_name_for_a_formula() -> None:
    for name in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"):
        (row,) = read(metric(provider=name, model=name))
        assert row["provider"] == row["model"] == f"'{name}"
    (row,) = read(metric(provider='a,"b"\nc'))
    assert (row["provider"], row["cost"], row["error_kind"]) == ('a,"b"\nc', "0.0021", "")


def test_json_has_metadata_too() -> None:
    (row,) = json.loads(export.as_json([metric(metadata={"x": [1]}, provider=HOSTILE)]))
    assert (row["metadata"], row["provider"], row["cost"]) == ({"x": [1]}, HOSTILE, "0.0021")
