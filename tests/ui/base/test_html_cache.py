"""Blocks that are built once."""

from ui.base.html import Markup, join
from ui.base.html_cache import shared_html


def test_a_block_is_built_once_and_dropped_when_long_unused() -> None:
    built: list[int] = []

    def build() -> Markup:
        built.append(1)
        return join(["block ", len(built)])

    key = ("test", object())
    assert shared_html(key, build) == shared_html(key, build) == "block 1"
    for number in range(100):
        shared_html((key, number), Markup)
    assert shared_html(key, build) == "block 2"
