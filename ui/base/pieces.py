"""A list in pieces: each is an element of its own, so one change sends every tab only the piece it is in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import streamlit as st

from ui.base import html
from ui.base.html import EMPTY, Markup

T = TypeVar("T")


def in_pieces(
    items: Sequence[T], size: int, most: int, build: Callable[[Sequence[T]], Markup]
) -> list[Markup]:
    """Build the first `most` items, `size` of them a piece.

    There are always as many pieces, those at the end may be empty: a page can be sent other contents, but
    only a run takes an element away.
    """
    starts = range(0, most, size)
    shown = items[:most]
    return [build(shown[start : start + size]) if start < len(shown) else EMPTY for start in starts]


def show(key: str, pieces: Iterable[Markup]) -> None:
    """Show the pieces below each other, in a container with this key."""
    with st.container(key=key, gap=None):
        for piece in pieces:
            html.show(piece)
