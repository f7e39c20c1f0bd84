import socket
from collections.abc import Iterator

import pytest

from local_supabase.handover import channel, take
from local_supabase.stack.probe import SECONDS_VARIABLE, Probe, ask_realtime, silent_seconds


class Peer:
    """A process that gets questions, and answers them when the test says so."""

    def __init__(self) -> None:
        self.questions: list[socket.socket] = []
        self.reachable = True

    def ask(self) -> socket.socket:
        if not self.reachable:
            raise ConnectionRefusedError
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.questions.append(theirs)
        return ours

    def answer(self) -> None:
        self.questions[-1].send(b"H")


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    for question in peer.questions:
        question.close()


@pytest.fixture
def probe(peer: Peer) -> Iterator[Probe]:
    probe = Probe(peer.ask, silent_seconds=10, start_seconds=60)
    yield probe
    probe.close()


def silence(probe: Probe, begin: float, seconds: float) -> bool:
    """Ask every half second for so long; return the last result."""
    results = [probe.is_silent(begin + step / 2) for step in range(int(seconds * 2) + 1)]
    return results[-1]


def test_a_process_that_answers_is_not_silent(peer: Peer, probe: Probe) -> None:
    for now in range(0, 100, 4):
        probe.is_silent(now)
        peer.answer()
        assert not probe.is_silent(now + 1)
    assert len(peer.questions) == 25


def test_a_new_process_has_longer_than_one_that_has_answered(peer: Peer, probe: Probe) -> None:
    assert not silence(probe, 0, 59)
    peer.answer()
    assert not silence(probe, 60, 11)
    assert silence(probe, 72, 12)
    probe.reset()
    assert not silence(probe, 100, 59)


def test_time_in_which_the_asking_process_was_suspended_does_not_count(peer: Peer, probe: Probe) -> None:
    probe.is_silent(0)
    peer.answer()
    probe.is_silent(1)
    probe.is_silent(4)
    assert not probe.is_silent(3600)


def test_a_process_that_cannot_be_reached_is_silent(peer: Peer, probe: Probe) -> None:
    probe.is_silent(0)
    peer.answer()
    probe.is_silent(1)
    peer.reachable = False
    assert silence(probe, 4, 12)


def test_a_connection_that_breaks_is_no_answer(peer: Peer, probe: Probe) -> None:
    probe.is_silent(0)
    peer.questions[-1].close()
    probe.is_silent(1)
    assert len(peer.questions) == 2
    # The process still has the time of a new one.
    assert not silence(probe, 2, 50)


def test_the_question_for_realtime_travels_in_the_channel() -> None:
    giving, taking = channel()
    with giving, taking, ask_realtime(giving) as question:
        connection, head = take(taking)
        assert connection is not None
        with connection:
            connection.send(b"answer")
        assert head.startswith(b"GET /health/live HTTP/1.1\r\n")
        assert question.recv(10) == b"answer"


def test_a_setting_that_is_no_number_is_ignored() -> None:
    assert silent_seconds({}) == 10
    assert silent_seconds({SECONDS_VARIABLE: "2.5"}) == 2.5
    assert silent_seconds({SECONDS_VARIABLE: "soon"}) == 10
