"""What differs between two renderings of a fragment."""

from livetables.rendering import Element, Rendering


def rendering(
    *elements: tuple[tuple[int, ...], str], blocks: tuple[tuple[int, ...], ...] = ((0,),)
) -> Rendering:
    """Return a rendering of a container with these elements: each a place and a content."""
    return Rendering.of(
        [Element(path, "block", path, block=True) for path in blocks]
        + [Element(path, content, content) for path, content in elements]
    )


BEFORE = rendering(((0, 0), "a"), ((0, 1), "b"))


def sent(after: Rendering) -> list[object] | None:
    """Return the messages that make a page with `BEFORE` show `after`."""
    changes = after.changes_from(BEFORE)
    return None if changes is None else [one.message for one in changes]


def test_only_the_elements_that_differ_are_sent() -> None:
    assert sent(rendering(((0, 0), "a"), ((0, 1), "B"))) == ["B"]
    assert sent(BEFORE) == []


def test_new_elements_at_the_end_are_sent() -> None:
    assert sent(rendering(((0, 0), "a"), ((0, 1), "b"), ((0, 2), "c"))) == ["c"]


def test_a_new_block_is_sent_before_what_is_in_it() -> None:
    after = Rendering.of(
        [
            *BEFORE.elements.values(),
            Element((0, 2), "block", "block", block=True),
            Element((0, 2, 0), "c", "c"),
        ]
    )
    assert sent(after) == ["block", "c"]


def test_sending_cannot_take_an_element_away() -> None:
    assert sent(rendering(((0, 0), "a"))) is None


def test_sending_cannot_make_an_element_a_block_or_change_one() -> None:
    assert sent(rendering(((0, 0), "a"), blocks=((0,), (0, 1)))) is None
    changed = Rendering.of([Element((0,), "other", "other", block=True), *list(BEFORE.elements.values())[1:]])
    assert sent(changed) is None


def test_of_several_elements_at_one_place_the_last_one_counts() -> None:
    twice = Rendering.of([Element((0,), "draft", "draft"), Element((0,), "final", "final")])
    assert [one.message for one in twice.elements.values()] == ["final"]


def test_what_appears_in_an_empty_fragment_needs_a_run() -> None:
    empty = Rendering.of([])
    assert BEFORE.changes_from(empty) is None
    assert empty.changes_from(empty) == []
