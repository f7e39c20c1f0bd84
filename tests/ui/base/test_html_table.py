"""Tables escape the text of their labels, heads and cells."""

from __future__ import annotations

from ui.base.html import Template
from ui.base.html_table import row_html, table_html

BOLD = Template("<b>{text}</b>")


def test_a_table_has_a_label_a_head_and_rows() -> None:
    shown = table_html(
        "Sums <all>", ("Model", "<Cost>"), [row_html(BOLD(text="<x>"), "<y>"), row_html(1, 2.5)]
    )
    assert shown == (
        '<div class="tv-scroll" tabindex="0" role="group" aria-label="Sums &lt;all&gt;">'
        '<table class="tv-totals" aria-label="Sums &lt;all&gt;">'
        "<thead><tr><th>Model</th><th>&lt;Cost&gt;</th></tr></thead><tbody>"
        "<tr><td><b>&lt;x&gt;</b></td><td>&lt;y&gt;</td></tr><tr><td>1</td><td>2.5</td></tr></tbody></table></div>"
    )


def test_the_classes_can_be_chosen() -> None:
    shown = table_html("x", (), [], css="one two", frame="three")
    assert shown.startswith('<div class="three" ')
    assert '<table class="one two" ' in shown
