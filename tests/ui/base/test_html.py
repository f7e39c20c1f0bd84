"""A value in a hole is text unless it is markup, and only templates make markup."""

from __future__ import annotations

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.base.html import EMPTY, Markup, Template, join
from ui.base.text import tidy

BOLD = Template("<b>{text}</b>")
LINK = Template('<a href="{address}" title="{text}">{text}</a>')


def test_text_is_escaped_in_elements_and_attributes() -> None:
    assert LINK(address='"x', text="<i>&'") == (
        '<a href="&#34;x" title="&lt;i&gt;&amp;&#39;">&lt;i&gt;&amp;&#39;</a>'
    )


@given(st.text())
def test_no_text_opens_an_element_or_ends_an_attribute(text: str) -> None:
    escaped = BOLD(text=text).removeprefix("<b>").removesuffix("</b>")
    assert not set("<>\"'") & set(escaped)
    assert unescape(escaped) == tidy(text)


def test_markup_of_another_template_stays_as_it_is() -> None:
    assert BOLD(text=BOLD(text="&")) == "<b><b>&amp;</b></b>"


def test_invisible_characters_are_dropped() -> None:
    assert BOLD(text="a\u202eb\x00c") == "<b>abc</b>"


def test_a_value_with_braces_is_not_a_hole() -> None:
    assert BOLD(text="{text}") == "<b>{text}</b>"
    assert Template("<style>a {{}}</style>")() == "<style>a {}</style>"


def test_pieces_are_joined_escaped() -> None:
    assert join([BOLD(text=1), "<"], ", ") == "<b>1</b>, &lt;"
    assert join([]) == EMPTY
    assert isinstance(join(["a"]), Markup)


@pytest.mark.parametrize("values", [{}, {"text": "a", "more": "b"}, {"other": "a"}])
def test_every_hole_needs_a_value_and_every_value_a_hole(values: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="the holes are"):
        BOLD(**values)


@pytest.mark.parametrize("source", ["{}", "{0}", "{a.b}", "{a!r}", "{a:>3}"])
def test_a_hole_is_a_plain_name(source: str) -> None:
    with pytest.raises(ValueError, match="a plain name"):
        Template(source)
