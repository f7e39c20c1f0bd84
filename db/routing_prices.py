"""What models cost: kept by admins."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from db import rows
from db.models import Record
from db.rows import Caller

TABLE = "model_prices"


@dataclass(frozen=True, slots=True)
class PriceDraft:
    """What an admin says of a model, in dollars for a million tokens."""

    provider: str
    model: str
    input_price: Decimal
    output_price: Decimal


def add(me: Caller, price_id: str, draft: PriceDraft) -> Record:
    """Add a model. Raises `Duplicate` when it has a price already."""
    return rows.insert(me, TABLE, {"id": price_id}, _values(draft))


def change(me: Caller, price_id: str, draft: PriceDraft, version: int) -> Record:
    """Change the price that this person saw."""
    return rows.update(me, TABLE, {"id": price_id}, _values(draft), version)


def remove(me: Caller, price_id: str) -> None:
    """Remove a model."""
    rows.delete(me, TABLE, {"id": price_id})


def _values(draft: PriceDraft) -> rows.Values:
    return {
        "provider": draft.provider,
        "model": draft.model,
        "input_price": format(draft.input_price, "f"),
        "output_price": format(draft.output_price, "f"),
    }
