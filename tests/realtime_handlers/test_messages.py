"""Messages: which of them a person's feed subscribes to."""

from realtime_handlers.messages import PRIVATE_MESSAGES, TAVERN_MESSAGES


def test_a_person_subscribes_to_the_private_messages_they_sent_or_received() -> None:
    assert PRIVATE_MESSAGES.filters is not None
    assert PRIVATE_MESSAGES.filters("me", {}) == ("sender_id=eq.me", "recipient_id=eq.me")
    assert TAVERN_MESSAGES.filters is None
