"""The names that people give files, and the keys they are stored under."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import InvalidValueError
from db.ratings.file_names import LONGEST, full_name, is_same, key_for


@pytest.mark.parametrize(
    "name",
    ["plain.csv", "данные.csv", "データ.jsonl", "灯泡.csv", "😀.csv", "1 — копия.csv", "Übung #1 (neu).csv"],
)
def test_a_name_stays_as_it_was_written(name: str) -> None:
    assert full_name("", name) == name


@pytest.mark.parametrize(
    ("folder", "name", "kept"),
    [
        ("a/b", "c d.csv", "a/b/c d.csv"),
        ("/adapters//Müller/", "x.csv", "adapters/Müller/x.csv"),
        ("adapters\\amazon", "x.csv", "adapters/amazon/x.csv"),
        ("../..", "../../x.csv", "..-..-x.csv"),
        ("", " gpj\u202evsc\x00\n.csv ", "gpjvsc.csv"),
        ("", "José.csv", "José.csv"),
    ],
)
def test_a_name_leaves_its_folder_and_what_cannot_be_seen_behind(folder: str, name: str, kept: str) -> None:
    assert full_name(folder, unicodedata.normalize("NFD", name)) == unicodedata.normalize("NFC", kept)


@pytest.mark.parametrize("name", ["", ".csv", "...csv", "no ending"])
def test_a_name_of_nothing_but_an_ending_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(InvalidValueError, match="begins before its ending"):
        full_name("folder", name)


def test_a_name_that_is_too_long_is_refused_and_not_cut() -> None:
    longest = "ж" * (LONGEST - 4) + ".csv"
    assert full_name("", longest) == longest
    with pytest.raises(InvalidValueError, match="up to 300 characters"):
        full_name("f", longest)


def test_each_name_has_a_key_of_its_own() -> None:
    names = ["1 — копия.csv", "1 — другая.csv", "jose.csv", "josé.csv", "a/x.csv", "x.csv"]
    assert len({key_for("exports/acme", name, "csv") for name in names}) == len(names)
    assert key_for("exports/acme", "x.csv", "csv") != key_for("exports/other", "x.csv", "csv")


def test_names_that_differ_in_unicode_form_or_case_only_are_of_one_file() -> None:
    name, other = "José.CSV", unicodedata.normalize("NFD", "josé.csv")
    assert is_same(name, other)
    assert key_for("p", name, "csv") == key_for("p", other, "csv")
    assert not is_same("josé.csv", "jose.csv")


@given(st.text(max_size=40), st.text(max_size=60))
def test_whatever_the_name_the_key_is_one_that_storage_takes(folder: str, name: str) -> None:
    try:
        whole = full_name(folder, f"{name}.csv")
    except InvalidValueError:
        return
    assert full_name(*whole.rpartition("/")[::2]) == whole
    assert re.fullmatch(r"[0-9a-f-]{36}\.csv", key_for("exports/acme", whole, "csv"))
