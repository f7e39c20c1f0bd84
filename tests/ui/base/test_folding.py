"""One way of folding, for searching, sorting and choosing."""

import threading
import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.base import folding


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("jose", "José"), ("José", "Jose"), ("muller", "Müller"), ("lukasz zak", "Łukasz Żak"),
        ("o'neill", "O’Neill"), ("o’neill", "O'Neill"), ("o'neill", "Oʼneill"), ("STRASSE", "Straße"),
        ("soren", "Søren"), ("dang", "Đặng"), ("izmir", "İzmir"), ("еж", "Ёж"), ("αθηνα", "Αθήνα"),
        ("anne-marie", "Anne‑Marie"), ("ABC", "ａｂｃ"),
    ],
)  # fmt: skip
def test_people_find_a_name_by_what_they_type(query: str, name: str, form: Literal["NFC", "NFD"]) -> None:
    assert folding.matches(unicodedata.normalize(form, name), unicodedata.normalize(form, query))


@pytest.mark.parametrize(("query", "name"), [("jos", "Jo"), ("か", "が"), ("wang", "王"), ("jose x", "José")])
def test_other_names_are_not_found(query: str, name: str) -> None:
    assert not folding.matches(name, query)


def test_names_are_sorted_where_people_look_for_them() -> None:
    names = [
        "Zoe",
        "Ángel",
        "angela",
        "Łukasz",
        "Luka",
        "Éva",
        "Ewa",
        "Angel",
        "Øyvind",
        "Яна",
        "Анна",
        "Ёлка",
    ]
    assert sorted(names, key=folding.sort_key) == [
        "Angel", "Ángel", "angela", "Éva", "Ewa", "Luka", "Łukasz", "Øyvind", "Zoe", "Анна", "Ёлка", "Яна",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Ada", "Ada"), ("Łukasz Żak", "Łukasz Żak (Lukasz Zak)"), ("O’Neill", "O’Neill (O'Neill)"),
        (unicodedata.normalize("NFD", "José"), "José (Jose)"), ("Андрей", "Андрей"),
        ("データ.csv", "データ.csv"), ("1 — копия.csv", "1 — копия.csv"), ("🦊 Zoë", "🦊 Zoë (🦊 Zoe)"),
    ],
)  # fmt: skip
def test_a_select_box_holds_the_letters_that_people_type(name: str, label: str) -> None:
    assert folding.as_option(name) == label


def test_a_select_box_shows_the_name_alone_where_the_page_finds_it_by_any_spelling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folding, "_SELECT_BOXES_FOLD", threading.Event())
    assert folding.as_option("Tomás Rey") == "Tomás Rey (Tomas Rey)"
    folding.select_boxes_fold()
    assert folding.as_option("Tomás Rey") == "Tomás Rey"
    assert folding.as_option(unicodedata.normalize("NFD", "José")) == "José"


@given(st.text())
def test_scripts_fold_a_text_character_by_character(text: str) -> None:
    characters = folding.plain_characters()
    letters = [characters.get(each, each) for each in unicodedata.normalize("NFKD", text)]
    of_script = unicodedata.normalize("NFC", "".join(letters))
    beyond = any(ord(each) > 0xFFFF for each in unicodedata.normalize("NFKD", text))
    assert beyond or text.isascii() or of_script == folding.plain(text)


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = folding.fold(text)
    assert folding.fold(once) == once
