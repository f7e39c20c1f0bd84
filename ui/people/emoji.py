"""A grid of emoji beside the text field for one: a click puts it there. The field takes any other too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.base.html import Markup, Template, join, show

NAMES: Final[Mapping[str, str]] = {
    "🦊": "Fox", "🦉": "Owl", "🐻": "Bear", "🐸": "Frog", "🦁": "Lion", "🐙": "Octopus",
    "🐼": "Panda", "🐧": "Penguin", "🦔": "Hedgehog", "🐢": "Turtle", "🦋": "Butterfly", "🐝": "Bee",
    "🌻": "Sunflower", "🍄": "Mushroom", "🌵": "Cactus", "🍀": "Clover", "🌲": "Tree", "🌊": "Wave",
    "🔥": "Fire", "🌙": "Moon", "⭐": "Star", "🌈": "Rainbow", "⚓": "Anchor", "🧭": "Compass",
    "🎻": "Violin", "🎸": "Guitar", "🎲": "Die", "🎨": "Palette", "📚": "Books", "🔭": "Telescope",
    "🚲": "Bicycle", "⛵": "Sailing boat", "🍺": "Beer", "☕": "Coffee", "🍞": "Bread", "🧀": "Cheese",
}  # fmt: skip
"""The emoji to choose from, with the names for those who hear them."""

_GRID = Template('<div class="tv-emoji" role="group" aria-label="Choose an emoji">{buttons}</div>')
_BUTTON = Template(
    '<button type="button" data-emoji="{emoji}" aria-label="{name}" title="{name}">{emoji}</button>'
)
_NONE: Final = Template('<button type="button" data-emoji="" class="none">No emoji</button>')()


@cache
def _component() -> ComponentRenderer:
    script = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_emoji", js=script)


def grid(field: str) -> None:
    """Show the grid. `field` is the key of the text field that takes the choice."""
    show(grid_html())
    _component()(key="emoji_watch", data={"field": field})


@cache
def grid_html() -> Markup:
    """Return the grid."""
    buttons = [_BUTTON(emoji=emoji, name=name) for emoji, name in NAMES.items()]
    return _GRID(buttons=join((*buttons, _NONE)))
