"""HTML in which text is escaped by construction.

A `Template` is HTML with named holes. The value of a hole is escaped unless it is `Markup`, which only
templates and `join` make. Nothing else in `ui/` and `pages/` makes `Markup` or calls `st.html`; the linter
refuses both. The source of a template is a literal and never contains text from people.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from typing import Final

import streamlit as st
from markupsafe import Markup, escape

from ui.base.text import tidy

__all__ = ["EMPTY", "Markup", "Template", "join", "show"]

Value = Markup | str | int | float
"""What a hole takes: markup as it is, everything else as escaped text."""

_SPECIAL: Final = re.compile("[&<>\"']")

EMPTY: Final = Markup()
"""No HTML at all."""


class Template:
    """HTML with named holes, parsed once.

    >>> greeting = Template('<p title="{name}">Hello <b>{name}</b></p>')
    >>> greeting(name="<Ada>")
    Markup('<p title="&lt;Ada&gt;">Hello <b>&lt;Ada&gt;</b></p>')
    """

    __slots__ = ("_holes", "_names", "_pieces")

    def __init__(self, source: str) -> None:
        """Parse HTML whose holes are written `{name}`, in an element or a quoted attribute.

        Raises:
            ValueError: A hole has no name, a format or a conversion.
        """
        holes: list[str] = []
        pieces = [""]
        for literal, name, form, conversion in string.Formatter().parse(source):
            pieces[-1] += literal
            if name is None:
                continue
            if not name.isidentifier() or form or conversion:
                raise ValueError(f"a hole is a plain name, not {name!r}")
            holes.append(name)
            pieces += ["", ""]
        self._holes: Final = tuple(holes)
        self._names: Final = frozenset(holes)
        self._pieces: Final = pieces
        """The literals, with a place for a value after each but the last."""

    def __call__(self, **values: Value) -> Markup:
        """Fill the holes.

        Raises:
            TypeError: A hole has no value, or a value has no hole.
        """
        if values.keys() != self._names:
            raise TypeError(f"the holes are {sorted(self._names)}, not {sorted(values)}")
        pieces = self._pieces.copy()
        pieces[1::2] = [_escaped(values[name]) for name in self._holes]
        return _markup("".join(pieces))


def join(parts: Iterable[Value], separator: Value = EMPTY) -> Markup:
    """Concatenate parts, escaping those that are not markup."""
    return _markup(str.join(_escaped(separator), map(_escaped, parts)))


def show(block: Markup) -> None:
    """Show a block of HTML on the page. An empty block is a place for a later one."""
    if block:
        st.html(block)
    else:
        st.empty()


def _markup(escaped: str) -> Markup:
    # A block makes thousands of these, and the constructor of `Markup` looks for more than plain text.
    return str.__new__(Markup, escaped)


def _escaped(value: Value) -> str:
    if type(value) is Markup:
        return value
    text = tidy(value) if isinstance(value, str) else str(value)
    # Most values are ids, times and names, for which the search is cheaper than the call.
    return escape(text) if _SPECIAL.search(text) else text
