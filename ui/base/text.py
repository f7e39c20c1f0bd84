"""Text from people, shown as they wrote it: never as Markdown, LaTeX, a link or an emoji code.

`as_label` is for everything that Streamlit reads as Markdown: labels of buttons and tabs, titles, messages,
toasts. In HTML, templates escape text (`ui/base/html.py`).
"""

from __future__ import annotations

import re
import string

# Streamlit's own plugins read the parsed text, where backslashes no longer escape. They look for emoji and
# icon codes (`:smile:`, `:material/home:`), arrows and dashes (`->`, `--`), and addresses that become links.
# An invisible character in between keeps them from matching.
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
# Control characters, and overrides of the writing direction, which would reorder the text around them.
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"\s+")


def tidy(text: str) -> str:
    """Drop control characters and overrides of the writing direction."""
    # Printable text has none of them, and this check costs a fraction of the substitution.
    return text if text.isprintable() else _INVISIBLE.sub("", text)


def as_label(text: str) -> str:
    """Escape text for one line of Streamlit's Markdown."""
    joined = _AFTER_PARSING.sub(_JOINER, one_line(text))
    return _PUNCTUATION.sub(r"\\\g<0>", joined)


def one_line(text: str) -> str:
    """Put text on one line, with single spaces and none around it."""
    return _SPACES.sub(" ", tidy(text)).strip()


def shortened(text: str, length: int) -> str:
    """Put text on one line of at most this many characters."""
    line = one_line(text)
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def ordinal(number: int) -> str:
    """Return a number as a place in an order: `1st`, `2nd`, `11th`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: `1 person`, `2 people`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
