"""Lists in pieces: each has the same number of them, and all items in their order."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ui.base.html import Markup, Template, join
from ui.base.pieces import in_pieces

_ITEM = Template("<i>{item}</i>")


def build(items: Sequence[int]) -> Markup:
    return join(_ITEM(item=item) for item in items)


@given(st.lists(st.integers(0, 99), max_size=40), st.integers(1, 7), st.integers(1, 30))
def test_the_pieces_show_the_first_items_in_order(items: list[int], size: int, most: int) -> None:
    pieces = in_pieces(items, size, most, build)
    assert "".join(pieces) == build(items[:most])
    assert len(pieces) == len(in_pieces([], size, most, build))


@given(st.lists(st.integers(0, 99), min_size=1, max_size=40), st.data())
def test_another_item_changes_one_piece(items: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(items) - 1))
    changed = [*items[:place], 100, *items[place + 1 :]]
    before, after = (in_pieces(some, 4, 40, build) for some in (items, changed))
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
