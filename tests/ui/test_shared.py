"""Blocks that are built once."""

from ui.shared import shared_html


def test_a_block_is_built_once_and_forgotten_when_long_unused() -> None:
    built: list[int] = []

    def build() -> str:
        built.append(1)
        return f"block {len(built)}"

    key = ("test", object())
    assert shared_html(key, build) == shared_html(key, build) == "block 1"
    for number in range(100):
        shared_html((key, number), str)
    assert shared_html(key, build) == "block 2"
