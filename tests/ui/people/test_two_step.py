"""The key of an authenticator app is readable, and its QR code is a picture."""

import base64

from ui.people.two_step import grouped, qr_html


def test_a_secret_is_read_in_groups_of_four() -> None:
    assert grouped("ABCDEFGHIJ") == "ABCD EFGH IJ"
    assert grouped("") == ""


def test_an_svg_cannot_run_a_script() -> None:
    svg = '<svg onload="alert(1)"></svg>'
    html = str(qr_html(svg))
    assert "onload" not in html
    assert base64.b64encode(svg.encode()).decode() in html
    assert html.startswith("<img ")
