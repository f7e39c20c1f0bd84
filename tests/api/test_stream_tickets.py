"""Tickets open one stream, for half a minute."""

import pytest

from api.errors import TooManyRequestsError
from api.stream_tickets import LIFETIME, MOST_PER_PERSON, Holder, Tickets


class Clock:
    """A clock that moves only when the test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


ANN, BOB = Holder("ann", "token of Ann"), Holder("bob", "token of Bob")


def test_a_ticket_is_redeemed_once_by_its_holder() -> None:
    tickets = Tickets(Clock())
    ticket, other = tickets.issue(ANN), tickets.issue(BOB)
    assert ticket != other
    assert tickets.redeem(ticket) == ANN
    assert tickets.redeem(ticket) is None
    assert tickets.redeem("never issued") is None
    assert tickets.redeem(other) == BOB


def test_a_ticket_expires() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    ticket = tickets.issue(ANN)
    clock.seconds += LIFETIME
    assert tickets.redeem(ticket) is None


def test_a_person_holds_a_limited_number_of_unused_tickets() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    issued = [tickets.issue(ANN) for _ in range(MOST_PER_PERSON)]
    clock.seconds += 10
    with pytest.raises(TooManyRequestsError) as refused:
        tickets.issue(ANN)
    assert refused.value.headers["Retry-After"] == str(round(LIFETIME) - 10)
    assert tickets.redeem(tickets.issue(BOB)) == BOB
    assert tickets.redeem(issued[0]) == ANN
    assert tickets.redeem(tickets.issue(ANN)) == ANN


def test_neither_a_ticket_nor_a_token_shows_in_a_representation() -> None:
    tickets = Tickets(Clock())
    ticket = tickets.issue(ANN)
    assert ticket not in repr(vars(tickets))
    assert ANN.token not in repr(ANN)
