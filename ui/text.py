"""People's text on the page: shown as they wrote it, never read as HTML, Markdown, LaTeX or an emoji code.

`as_html` is for the blocks that `st.html` shows, `as_label` for everything that Streamlit reads as its
Markdown: labels of buttons and tabs, titles, messages, toasts.
"""

from __future__ import annotations

import html
import re
import string

# Text is joined where Streamlit's own plugins look at the parsed text, past all escapes: emoji and icon codes
# (`:smile:`, `:material/home:`), arrows and dashes (`->`, `--`), and addresses that become links.
_JOINER = "\u2060"
_AFTER_PARSING = re.compile(
    r"""
    (?<=:)(?=[\w+\-/]+:)        # emoji and icon codes
    | (?<=-)(?=[->])            # dashes and arrows
    | (?<=<)(?=-)
    | (?<=[<>~])(?==) | (?<==)(?=>) | (?<=>)(?==) | (?<=~)(?==)
    | (?<=:)(?=//)              # addresses
    | (?<=www)(?=\.)
    | (?<=\w)(?=@\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")
# Control characters, and those that turn the direction of the text around them.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"\s+")


def tidy(text: str) -> str:
    """Drop what cannot be seen: control characters and overrides of the writing direction."""
    return _UNSEEN.sub("", text)


def as_html(text: str) -> str:
    """Escape text for HTML, in an element or a quoted attribute. Line breaks stay as they are."""
    return html.escape(tidy(text), quote=True)


def as_label(text: str) -> str:
    """Escape text for one line of Streamlit's Markdown."""
    joined = _AFTER_PARSING.sub(_JOINER, one_line(text))
    return _PUNCTUATION.sub(r"\\\g<0>", joined)


def one_line(text: str) -> str:
    """Make one line of text without spaces around it."""
    return _SPACES.sub(" ", tidy(text)).strip()


def shortened(text: str, length: int) -> str:
    """Cut one line of text to at most this many characters."""
    line = one_line(text)
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Count things in words: `1 person`, `2 people`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
