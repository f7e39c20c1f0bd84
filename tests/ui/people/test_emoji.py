"""The grid of emoji."""

import re

from ui.people import emoji


def test_every_emoji_is_one_that_the_database_takes() -> None:
    # As the constraint `users_avatar_form` says.
    assert [each for each in emoji.NAMES if not re.fullmatch(r"[^\x01-\x7f]{1,16}", each)] == []


def test_every_button_has_a_name_and_one_takes_the_emoji_away() -> None:
    html = emoji.grid_html()
    assert html.count('<button type="button"') == len(emoji.NAMES) + 1
    assert len(set(emoji.NAMES.values())) == len(emoji.NAMES)
    assert 'data-emoji="" class="none">No emoji' in html
