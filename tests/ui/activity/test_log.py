"""The change log as a table."""

from tests.ui.samples import BERLIN, HOSTILE, HOSTILE_HTML, TODAY, logged, snapshot, user
from ui.activity import log
from ui.activity.log import FieldChange, Reader
from ui.base.people import finder

ANN = user("Ann", id="0a0a0a0a-0000-4000-8000-000000000001")
EVENT = "0e0e0e0e-0000-4000-8000-000000000002"
READER = Reader(BERLIN, TODAY, finder(snapshot([ANN])), {EVENT: "Quiz"})


def test_only_changed_fields_are_shown() -> None:
    entry = logged(
        "UPDATE",
        "events",
        ANN,
        {"title": "A", "location": "Bar", "version": 1},
        {"title": "B", "location": "Bar", "version": 2},
    )
    assert log.field_changes(entry) == [FieldChange("title", "A", "B")]


def test_a_row_has_time_person_table_action_and_change() -> None:
    html = log.table_html([logged("UPDATE", "events", ANN, {"title": "A"}, {"title": "B"})], READER)
    for words in ("19:30:00", "Ann", "Events", "changed", "<b>title</b> <del>A</del> → <ins>B</ins>"):
        assert words in html


def test_ids_and_times_are_readable() -> None:
    new: dict[str, object] = {
        "organizer_id": ANN.id,
        "event_id": EVENT,
        "starts_at": "2026-11-20T18:30:00+00:00",
    }
    html = log.table_html([logged("INSERT", "events", None, None, new)], READER)
    for words in (
        "<b>organizer</b> <ins>Ann</ins>",
        "<ins>Quiz</ins>",
        "19:30 (Europe/Berlin)",
        "the system",
    ):
        assert words in html


def test_private_content_is_not_shown() -> None:
    assert "private" in log.table_html([logged("INSERT", "private_messages", ANN, None, None)], READER)


def test_text_is_never_markup() -> None:
    html = log.table_html([logged("UPDATE", "users", ANN, {"bio": HOSTILE}, {"bio": f"{HOSTILE}!"})], READER)
    assert "<img src=x" not in html
    assert HOSTILE_HTML in html


def test_newest_first_and_filtered() -> None:
    entries = [
        logged("INSERT", "events", ANN, None, {"title": "A"}, number=1),
        logged("INSERT", "rsvps", ANN, None, {"status": "going"}, number=2),
        logged("INSERT", "events", None, None, {"title": "B"}, number=3),
    ]
    ordered = log.newest_first(snapshot(entries))
    assert [entry.id for entry in ordered] == [3, 2, 1]
    assert [entry.id for entry in log.chosen(ordered, "events", None)] == [3, 1]
    assert [entry.id for entry in log.chosen(ordered, None, ANN.id)] == [2, 1]
