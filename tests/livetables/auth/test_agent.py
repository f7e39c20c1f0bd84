"""What a browser says of itself is sent on only as far as a header can carry it."""

import pytest

from livetables.auth.agent import agent_header


def test_a_browser_is_sent_as_it_names_itself() -> None:
    assert agent_header("Mozilla/5.0 (X11; Linux) Firefox/140.0") == {
        "User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"
    }


@pytest.mark.parametrize("user_agent", ["", "   ", "\r\n", "é"])
def test_nothing_to_send_is_no_header(user_agent: str) -> None:
    assert agent_header(user_agent) == {}


def test_no_header_is_smuggled_in() -> None:
    assert agent_header("Fox\r\nAuthorization: Bearer x\x00") == {"User-Agent": "FoxAuthorization: Bearer x"}


def test_a_long_text_is_cut() -> None:
    assert agent_header("x" * 5000) == {"User-Agent": "x" * 300}
