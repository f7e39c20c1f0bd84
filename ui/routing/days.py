"""The sums of days that a page needs: loaded as far back as needed, computed once for a person's tabs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from db.errors import UnreachableError
from livetables.errors import LiveError
from livetables.running_session import load_older
from livetables.tables.filters import Filter
from ui.routing import tables
from ui.routing.filters import keep_days
from ui.routing.sums import (
    Outlook,
    first_of_month,
    oldest_day,
    outlook,
)

_MOST_PAGES: Final = 400
"""A bound on the pages that one call loads."""


def today() -> date:
    """Return the date in UTC: the sums have UTC days, as the providers' bills do."""
    return datetime.now(UTC).date()


def first_of_last_month(day: date) -> date:
    """Return the first day of the month before."""
    return first_of_month(first_of_month(day) - timedelta(days=1))


def load_days(first: date) -> bool:
    """Load all days from the first one on, for all tabs of the person.

    Returns:
        Whether they were there before; else the fragments that show them are woken.

    Raises:
        UnreachableError: The database cannot be reached.
    """
    # The page that ends within the oldest loaded day may have cut it, so that day does not count as loaded.
    oldest = tables.daily().derived("oldest", oldest_day)
    if oldest is None or oldest < first:
        return True
    pages = 0
    try:
        while pages < _MOST_PAGES and load_older(tables.DAILY):
            pages += 1
            oldest = tables.newest_daily().derived("oldest", oldest_day)
            if oldest is not None and oldest < first:
                break
    except (LiveError, TimeoutError) as error:
        raise UnreachableError from error
    return pages == 0


def outlook_of(filters: Sequence[Filter]) -> Outlook:
    """Return the costs of today and this month and the forecast, of the days that pass."""
    day = today()
    return tables.daily().derived(
        ("outlook", tuple(filters), day), lambda rows: outlook(keep_days(rows.values(), filters), day)
    )
