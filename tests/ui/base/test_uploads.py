"""Sessions upload only while they show an uploader, and only so many bytes."""

from ui.base.uploads import Uploads


def _uploads(connected: set[str]) -> Uploads:
    return Uploads(connected.__contains__, most_bytes=100)


def test_a_session_that_shows_no_uploader_has_no_room() -> None:
    uploads = _uploads({"tab"})
    assert uploads.room("tab") == 0
    uploads.permit("tab")
    assert uploads.room("tab") == 100
    uploads.withdraw("tab")
    assert uploads.room("tab") == 0


def test_files_use_up_the_room_until_they_are_removed() -> None:
    uploads = _uploads({"tab"})
    uploads.permit("tab")
    uploads.arrived("tab", "one", 60)
    uploads.arrived("tab", "two", 60)
    assert uploads.room("tab") == 0
    uploads.removed("tab", "one")
    assert uploads.room("tab") == 40


def test_what_a_session_holds_stays_counted_when_it_shows_another_page_meanwhile() -> None:
    uploads = _uploads({"tab"})
    uploads.permit("tab")
    uploads.arrived("tab", "one", 60)
    uploads.withdraw("tab")
    uploads.permit("tab")
    assert uploads.room("tab") == 40


def test_closed_sessions_are_forgotten() -> None:
    connected = {"tab"}
    uploads = _uploads(connected)
    uploads.permit("tab")
    connected.clear()
    connected.add("other")
    uploads.permit("other")
    assert uploads.room("tab") == 0
    assert uploads.room("other") == 100
