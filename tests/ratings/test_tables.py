"""Column types: the same on every database."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import update
from sqlalchemy.exc import StatementError

from ratings.tables import LeaseRow
from tests.ratings.workbench import Workbench


def test_a_time_without_a_zone_is_refused(bench: Workbench) -> None:
    with pytest.raises(StatementError, match="no zone"):
        bench.database.write(
            lambda session: session.execute(update(LeaseRow).values(expires_at=datetime(2026, 11, 21)))
        )
