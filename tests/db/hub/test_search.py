"""Messages are searched with the rights of the person, or as a visitor."""

import uuid

from db.clients import Clients
from db.hub import private_messages, search, tavern_messages
from tests.db.conftest import SignUp
from tests.support.people import unique


def test_a_person_finds_their_own_messages_and_a_visitor_those_of_the_room(
    sign_up: SignUp, clients: Clients
) -> None:
    ada, bo = sign_up("Ada"), sign_up("Bo")
    word = unique("Quokka").replace("-", "")
    said, written = str(uuid.uuid4()), str(uuid.uuid4())
    tavern_messages.post(ada, said, f"The {word} is here")
    private_messages.send(ada, written, bo.user_id, f"A {word} for you")
    mine = search.search(clients, bo, word.upper()[:-1])
    assert [each.id for each in mine.room] == [said]
    assert [(each.id, each.sender_id) for each in mine.private] == [(written, ada.user_id)]
    visitors = search.search(clients, None, word)
    assert [each.id for each in visitors.room] == [said]
    assert visitors.private == []
