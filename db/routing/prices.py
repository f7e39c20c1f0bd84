"""Writing the prices of models, which only admins may."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from db import rows
from db.caller import Caller
from db.columns import Record

TABLE = "model_prices"


@dataclass(frozen=True, slots=True)
class PriceDraft:
    """The price of a model, in dollars per million tokens."""

    provider: str
    model: str
    input_price: Decimal
    output_price: Decimal


def add(me: Caller, price_id: str, draft: PriceDraft) -> Record:
    """Create the price of a model, or return the one that is the same.

    Raises `DuplicateError` when the model has another price already.
    """
    natural = {"provider": draft.provider, "model": draft.model}
    return rows.insert(me, TABLE, {"id": price_id}, _values(draft), natural=natural)


def change(me: Caller, price_id: str, draft: PriceDraft, version: int) -> Record:
    """Change a price that this person saw at `version`."""
    return rows.update(me, TABLE, {"id": price_id}, _values(draft), version)


def remove(me: Caller, price_id: str) -> None:
    """Remove the price of a model."""
    rows.delete(me, TABLE, {"id": price_id})


def _values(draft: PriceDraft) -> rows.Values:
    return {
        "provider": draft.provider,
        "model": draft.model,
        "input_price": format(draft.input_price, "f"),
        "output_price": format(draft.output_price, "f"),
    }
