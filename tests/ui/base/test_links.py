"""The addresses of events and people."""

from tests.ui.samples import HOSTILE
from ui.base import links


def test_an_address_is_a_page_and_an_id_whatever_is_in_it() -> None:
    assert links.to_event("e1") == "event?id=e1"
    assert links.to_person("a b&c=d") == "person?id=a+b%26c%3Dd"
    assert links.to_person(HOSTILE).isascii()
    assert "<img" not in links.link_html(links.to_person(HOSTILE), links.ALL_EVENTS)


def test_a_conversation_has_an_address_in_the_inbox() -> None:
    assert links.to_inbox("u1") == "inbox?with=u1"


def test_the_keyboard_passes_a_picture_whose_name_is_a_link_as_well() -> None:
    assert 'tabindex="-1" aria-hidden="true"' in links.second_link_html("person?id=1", links.ALL_EVENTS)
