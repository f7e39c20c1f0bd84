"""Specs: how records become changes that can be compared."""

from datetime import UTC, datetime, timedelta

from livetables.tables.changes import FINAL
from livetables.tables.spec import TableSpec
from realtime_handlers import ALL_SPECS
from realtime_handlers.events import RSVPS

CREATED = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)


def _rsvp(created_at: datetime, version: int) -> dict[str, object]:
    return {
        "event_id": "e",
        "user_id": "u",
        "status": "going",
        "guests": 0,
        "waitlisted_at": None,
        "confirm_by": None,
        "version": version,
        "created_at": created_at.isoformat(),
        "updated_at": created_at.isoformat(),
    }


def test_the_version_of_a_natural_key_grows_across_reinsertions() -> None:
    later = CREATED + timedelta(microseconds=1)
    stamps = [
        RSVPS.written(_rsvp(created, version)).version
        for created, version in ((CREATED, 1), (CREATED, 2), (CREATED, 99999), (later, 1))
    ]
    assert stamps == sorted(set(stamps))


def test_no_version_is_above_the_final_one() -> None:
    last = datetime(9999, 12, 31, tzinfo=UTC)
    assert RSVPS.written(_rsvp(last, 2**31 - 1)).version < FINAL


def test_a_deletion_covers_rows_created_in_the_millisecond_of_its_commit() -> None:
    committed = CREATED.replace(microsecond=CREATED.microsecond // 1000 * 1000)
    deletion = RSVPS.deleted(("e", "u"), committed_at=committed)
    assert RSVPS.written(_rsvp(CREATED, 7)).version < deletion.ceiling
    assert RSVPS.written(_rsvp(CREATED + timedelta(milliseconds=1), 1)).version > deletion.ceiling


def test_every_table_has_one_spec() -> None:
    names = [spec.name for spec in ALL_SPECS]
    assert len(names) == len(set(names))


def test_a_spec_can_be_created_for_a_row_type() -> None:
    """Python 3.11 cannot, if the dataclass has slots."""
    assert TableSpec[str]("t", ("id",), str, len, lambda rows, _: rows).name == "t"
