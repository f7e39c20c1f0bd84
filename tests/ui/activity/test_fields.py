"""The fields that an entry of the change log has changed."""

from tests.ui.samples import BERLIN, HOSTILE, HOSTILE_HTML, TODAY, logged, snapshot, user
from ui.activity.fields import FieldChange, Reader, field_changes, fields_html
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
    assert field_changes(entry) == [FieldChange("title", "A", "B")]
    assert "<del>A</del> → <ins>B</ins>" in fields_html(entry, READER)


def test_ids_and_times_are_readable() -> None:
    new: dict[str, object] = {
        "organizer_id": ANN.id,
        "event_id": EVENT,
        "starts_at": "2026-11-20T18:30:00+00:00",
    }
    html = fields_html(logged("INSERT", "events", None, None, new), READER)
    person, quiz = f'href="person?id={ANN.id}"><bdi>Ann</bdi>', f'href="event?id={EVENT}"><bdi>Quiz</bdi>'
    for words in ("<dt>organizer</dt>", person, quiz, "19:30 (Europe/Berlin)"):
        assert words in html


def test_private_content_is_not_shown() -> None:
    assert fields_html(logged("INSERT", "private_messages", ANN, None, None), READER) == ""


def test_text_is_never_markup() -> None:
    html = fields_html(logged("UPDATE", "users", ANN, {"bio": HOSTILE}, {"bio": f"{HOSTILE}!"}), READER)
    assert "<img src=x" not in html
    assert HOSTILE_HTML in html
