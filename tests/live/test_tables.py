"""Specs: how rows become changes that can be compared."""

from datetime import UTC, datetime, timedelta

from live.changes import FINAL
from live.tables import TableSpec
from realtime_handlers import ALL_SPECS, rsvps

MOMENT = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)


def _rsvp(created_at: datetime, version: int) -> dict[str, object]:
    return {
        "event_id": "e",
        "user_id": "u",
        "status": "going",
        "version": version,
        "created_at": created_at.isoformat(),
        "updated_at": created_at.isoformat(),
    }


def test_the_version_of_a_natural_key_grows_across_lives() -> None:
    later = MOMENT + timedelta(microseconds=1)
    stamps = [
        rsvps.SPEC.written(_rsvp(born, version)).version
        for born, version in ((MOMENT, 1), (MOMENT, 2), (MOMENT, 99999), (later, 1))
    ]
    assert stamps == sorted(set(stamps))


def test_nothing_is_above_the_final_version() -> None:
    last = datetime(9999, 12, 31, tzinfo=UTC)
    assert rsvps.SPEC.written(_rsvp(last, 2**31 - 1)).version < FINAL


def test_a_deletion_covers_rows_born_in_the_millisecond_that_the_wire_tells() -> None:
    told = MOMENT.replace(microsecond=MOMENT.microsecond // 1000 * 1000)
    deletion = rsvps.SPEC.deleted(("e", "u"), committed_at=told)
    assert rsvps.SPEC.written(_rsvp(MOMENT, 7)).version < deletion.ceiling
    assert rsvps.SPEC.written(_rsvp(MOMENT + timedelta(milliseconds=1), 1)).version > deletion.ceiling


def test_every_table_is_described_once() -> None:
    names = [spec.name for spec in ALL_SPECS]
    assert len(names) == len(set(names))


def test_specs_can_be_made_for_a_row_type() -> None:
    """With slots, Python 3.11 cannot."""
    assert TableSpec[str]("t", ("id",), str, len, lambda rows, _: rows).name == "t"
