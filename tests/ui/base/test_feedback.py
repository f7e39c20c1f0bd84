"""Feedback on what a person did."""

from ui.base.feedback import saving_html


def test_screen_readers_announce_that_something_is_being_saved() -> None:
    assert saving_html(True) == '<span class="tv-saving" role="status">Saving…</span>'
    assert saving_html(False) == ""
