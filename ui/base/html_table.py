"""Small tables as HTML, for figures that need no sorting or scrolling of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ui.base.html import Markup, Template, Value, join

_TABLE: Final = Template(
    '<div class="{frame}" tabindex="0" role="group" aria-label="{label}">'
    '<table class="{css}" aria-label="{label}"><thead><tr>{head}</tr></thead>'
    "<tbody>{rows}</tbody></table></div>"
)
_HEAD: Final = Template("<th>{text}</th>")
_ROW: Final = Template("<tr>{cells}</tr>")
_CELL: Final = Template("<td>{content}</td>")


def table_html(
    label: str,
    head: Iterable[str],
    rows: Iterable[Markup],
    *,
    css: str = "tv-totals",
    frame: str = "tv-scroll",
) -> Markup:
    """Show rows under a head. `css` and `frame` are the classes of the table and of what scrolls it."""
    names = join(_HEAD(text=name) for name in head)
    return _TABLE(frame=frame, css=css, label=label, head=names, rows=join(rows))


def row_html(*cells: Value) -> Markup:
    """Put cells in a row; text is escaped."""
    return _ROW(cells=join(_CELL(content=cell) for cell in cells))
