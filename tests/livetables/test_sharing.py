"""Which sessions wait for a rerun of another one, and for how long."""

import time

import pytest

from livetables.rendering import Element, Rendering
from livetables.sharing import Group, Renderings

FIRST = Group("fragment", ("UTC",), (("things", 1),))
SECOND = Group("fragment", ("UTC",), (("things", 2),))
RENDERING = Rendering.of([])


def test_others_wait_for_the_session_that_reruns() -> None:
    renderings = Renderings()
    assert not renderings.wait(FIRST, "ada")
    renderings.lead(FIRST, "ada")
    assert renderings.wait(FIRST, "bo")
    assert renderings.wait(FIRST, "cy")
    assert renderings.find(FIRST) is None
    assert renderings.put(FIRST, RENDERING, "ada") == {"bo", "cy"}
    assert renderings.find(FIRST) is RENDERING


def test_the_session_that_reruns_does_not_wait_for_itself() -> None:
    renderings = Renderings()
    renderings.lead(FIRST, "ada")
    assert not renderings.wait(FIRST, "ada")


def test_nobody_waits_for_what_is_there_or_cannot_be_sent() -> None:
    renderings = Renderings()
    renderings.put(FIRST, None, "ada")
    renderings.lead(FIRST, "bo")
    assert not renderings.wait(FIRST, "cy")
    assert renderings.find(FIRST) is None


def test_a_change_during_the_rerun_leaves_nobody_waiting() -> None:
    """The rerun began for the first group and rendered what the second one is shown."""
    renderings = Renderings()
    renderings.lead(FIRST, "ada")
    renderings.wait(FIRST, "bo")
    assert renderings.put(SECOND, RENDERING, "ada") == {"bo"}
    assert not renderings.wait(FIRST, "bo")


def test_waiting_ends_when_the_rerun_comes_to_nothing() -> None:
    renderings = Renderings()
    renderings.lead(FIRST, "ada")
    renderings.wait(FIRST, "bo")
    assert renderings.give_up(FIRST, "cy") == frozenset()
    assert renderings.give_up(FIRST, "ada") == {"bo"}
    assert not renderings.wait(FIRST, "bo")


def test_only_the_newest_renderings_are_kept() -> None:
    renderings = Renderings()
    renderings.put(FIRST, RENDERING, "ada")
    for number in range(1000):
        renderings.put(Group("fragment", (), (("things", number),)), RENDERING, "ada")
    assert renderings.find(FIRST) is None
    assert renderings.find(Group("fragment", (), (("things", 999),))) is RENDERING


def test_a_rendering_is_forgotten_a_while_after_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    renderings, now = Renderings(), [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    renderings.put(FIRST, RENDERING, "ada")
    now[0] += 50
    renderings.put(SECOND, RENDERING, "ada")
    assert renderings.find(FIRST) is RENDERING
    now[0] += 50
    renderings.put(SECOND, RENDERING, "bo")
    assert renderings.find(FIRST) is None
    assert renderings.find(SECOND) is RENDERING


def test_of_renderings_that_look_the_same_one_is_kept() -> None:
    renderings = Renderings()
    made = [
        Rendering.of([Element((0, n), text, object())])
        for n, text in ((1, "a"), (1, "a"), (1, "b"), (2, "a"))
    ]
    assert renderings.kept(FIRST, made[0]) is made[0]
    renderings.put(FIRST, made[0], "ada")
    assert [renderings.kept(FIRST, each) for each in made] == [made[0], made[0], made[2], made[3]]
    assert renderings.kept(SECOND, made[1]) is made[1]
    assert renderings.kept(FIRST, None) is None


def test_nobody_waits_for_a_rerun_that_only_its_own_session_may_be_shown() -> None:
    renderings = Renderings()
    renderings.lead(FIRST, "ada")
    renderings.wait(FIRST, "bo")
    assert renderings.put(FIRST, RENDERING, "ada", private=True) == {"bo"}
    assert renderings.find(FIRST) is None
    renderings.lead(FIRST, "bo")
    assert renderings.wait(FIRST, "cy")
