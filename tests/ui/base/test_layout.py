"""What the badge says of a database that lacks something. Browser tests show the rest of a page's parts."""

from ui.base.layout import missing_part


def test_the_badge_names_what_is_missing_and_below_it_the_sql() -> None:
    told = missing_part("items is not watched\n    select livetables.watch('items');")
    assert told == "items is not watched.\n\n`` select livetables.watch('items'); ``"


def test_what_is_missing_is_no_markdown() -> None:
    assert missing_part("*No* function") == r"\*No\* function."
