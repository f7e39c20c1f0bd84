"""What models cost: kept by admins, read by everybody with an account."""

from __future__ import annotations

from db.routing_models import ModelPrice
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec


def handle_model_prices_change(rows: Rows[ModelPrice], change: Change[ModelPrice]) -> Rows[ModelPrice]:
    """Add, replace or remove a price."""
    return rows.apply(change)


SPEC = TableSpec(
    name="model_prices",
    key=("id",),
    parse=ModelPrice.from_record,
    version=lambda price: price.version,
    handler=handle_model_prices_change,
    audience=Audience.USER,
)
