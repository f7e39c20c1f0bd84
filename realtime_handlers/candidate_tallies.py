"""How often candidates were preferred: for managers, and for all once published."""

from __future__ import annotations

from db.rating_task_models import CandidateTally
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.rating_roles import rates, standing


def handle_candidate_tallies_change(
    rows: Rows[CandidateTally], change: Change[CandidateTally]
) -> Rows[CandidateTally]:
    """Add or replace a tally."""
    return rows.apply(change)


SPEC = TableSpec(
    name="candidate_tallies",
    key=("id",),
    parse=CandidateTally.from_record,
    version=lambda tally: tally.version,
    handler=handle_candidate_tallies_change,
    audience=Audience.USER,
    visible_to=rates,
    standing=standing,
)
