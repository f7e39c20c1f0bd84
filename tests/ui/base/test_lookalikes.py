"""People whose names look the same are told apart."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.samples import user
from ui.base.lookalikes import marked, marks, skeleton


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "Ann"),
        ("Ann", "ANN"),
        ("Ann", "\u0410nn"),  # Cyrillic
        ("Cy", "\u03f2y"),  # Greek
        ("Ann", "\uff21nn"),  # full width
        ("Ann", "A\u200bn\u2060n"),
        ("Ann Lee", "Ann\u00a0 Lee"),
        ("AI", "Al"),
        ("Bob", "B0b"),
        ("Ann1", "Annl"),
        ("Mia", "rnia"),
        ("Zo\u00eb", "Zoe\u0308"),
        ("\u0418\u0432\u0430\u043d", "\u0418\u0432a\u043d"),
    ],
)
def test_names_that_look_the_same(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)
    found = marks([user("one", display_name=one), user("other", display_name=other)])
    assert marked(one, found["id-one"]) != marked(other, found["id-other"])


@pytest.mark.parametrize(
    "blank",
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u2065\u2800\u3164\ufe0f\ufeff\uffa0\ufff5"
    "\U000e0001\U000e0080\U000e0fff\U0001bca0\U0001d173",
    ids=ascii,
)
@pytest.mark.parametrize("name", ["Ada{}", "{}Ada", "A{}da", "Ada {}", "Zoe{}\u0308"])
def test_what_cannot_be_seen_makes_no_difference(name: str, blank: str) -> None:
    assert skeleton(name.format(blank)) == skeleton(name.format(""))


@pytest.mark.parametrize(
    ("one", "other"), [("Ann", "Anna"), ("Zo\u00eb", "Zoe"), ("Bo", "Do"), ("Ann Lee", "Annlee")]
)
def test_names_that_look_different_have_no_mark(one: str, other: str) -> None:
    assert marks([user("one", display_name=one), user("other", display_name=other)]) == {}


def test_a_mark_cannot_be_taken_along_with_the_name() -> None:
    people = [user("one", display_name="Ann"), user("other", display_name="ann")]
    thief = user("thief", display_name=marked("Ann", marks(people)["id-one"]))
    assert marks([*people, thief]).keys() == {"id-one", "id-other", "id-thief"}


def _script() -> None:
    import streamlit as st

    from tests.ui.samples import snapshot, user
    from ui.base.people import label_of, name_html, name_of

    ann, imitator, ben = user("Ann"), user("x", display_name="\u0410nn"), user("Ben")
    st.session_state["users"] = snapshot([ann, imitator, ben])
    for show in (name_of, label_of, name_html):
        st.text(str(show(ann) != show(imitator)))
    st.text(name_of(ben))


def test_every_form_of_a_name_has_the_mark() -> None:
    app = AppTest.from_function(_script, default_timeout=120).run()
    assert [text.value for text in app.text] == ["True", "True", "True", "Ben"]
