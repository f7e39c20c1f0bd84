"""Text from people is shown as they wrote it."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.base.text import (
    as_label,
    one_line,
    plural,
    shortened,
    tidy,
)

JOINER = "\u2060"
texts = st.text(st.characters(codec="utf-8"))
markup = st.lists(
    st.sampled_from([*string.punctuation, "a", "1", " ", "\n", ":smile:", "->", "--", "www.x", "http://"])
).map("".join)


@given(texts | markup)
def test_a_label_means_the_text_on_one_line(text: str) -> None:
    plain = re.sub(r"\\(.)", r"\1", as_label(text)).replace(JOINER, "")
    assert plain == one_line(text).replace(JOINER, "")


@given(markup)
def test_every_punctuation_mark_of_a_label_is_escaped(text: str) -> None:
    assert not re.search(
        rf"(?<!\\)(?:\\\\)*[{re.escape(string.punctuation.replace(chr(92), ''))}]", as_label(text)
    )


@pytest.mark.parametrize(
    "text",
    [":smile:", ":material/home:", "->", "<-", "--", "www.evil.example", "http://evil.example", "a@b.co"],
)
def test_what_streamlit_looks_for_after_parsing_is_broken_up(text: str) -> None:
    assert JOINER in as_label(text)
    assert text not in re.sub(r"\\(.)", r"\1", as_label(text))


def test_a_time_of_day_stays_as_it_is() -> None:
    assert JOINER not in as_label("at 10:30 - 11:30")


@given(texts)
def test_invisible_characters_are_dropped(text: str) -> None:
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08]", tidy(text))


@given(texts, st.integers(1, 30))
def test_shortened_text_fits(text: str, length: int) -> None:
    assert len(shortened(text, length)) <= length


@pytest.mark.parametrize(("count", "words"), [(0, "0 places"), (1, "1 place"), (1200, "1,200 places")])
def test_counting(count: int, words: str) -> None:
    assert plural(count, "place") == words
