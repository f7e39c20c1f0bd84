"""The sums of days that a page needs: all of them loaded, worked out once for all tabs of a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from db.errors import Unreachable
from db.routing_models import RoutingDay
from live.errors import LiveError
from live.filters import Filter
from live.sessions import load_older
from ui import routing_tables
from ui.routing_filters import keep_days
from ui.routing_sums import Outlook, first_of_month, oldest_day, outlook

_MOST_PAGES = 400


def today() -> date:
    """Return the day that it is in UTC, by which the sums and the providers' bills are kept."""
    return datetime.now(UTC).date()


def last_month_begins(day: date) -> date:
    """Return the first day of the month before."""
    return first_of_month(first_of_month(day) - timedelta(days=1))


def are_complete(first: date) -> bool:
    """See to it that all days from the first one on are loaded; False when it took loading some.

    Of the oldest loaded day there may be more. What is loaded serves all tabs of the person, and wakes those
    that show it. Raises `Unreachable`.
    """
    oldest = routing_tables.daily().derived("oldest", oldest_day)
    if oldest is None or oldest < first:
        return True
    try:
        pages = 0
        while pages < _MOST_PAGES and load_older(routing_tables.DAILY):
            pages += 1
            if (oldest := _oldest_now()) is not None and oldest < first:
                break
    except (LiveError, TimeoutError) as error:
        raise Unreachable from error
    return pages == 0


def _oldest_now() -> date | None:
    return routing_tables.newest_daily().derived("oldest", oldest_day)


def kept(filters: Sequence[Filter]) -> list[RoutingDay]:
    """Return the loaded days that pass."""
    return routing_tables.daily().derived(
        ("kept", tuple(filters)), lambda rows: keep_days(rows.values(), filters)
    )


def outlook_of(filters: Sequence[Filter]) -> Outlook:
    """Return today, the month and the forecast."""
    day = today()
    return routing_tables.daily().derived(
        ("outlook", tuple(filters), day), lambda rows: outlook(keep_days(rows.values(), filters), day)
    )
