"""A clock for sign-ins that a test sets."""

import pytest


class Clock:
    """Stands for the module `time`."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        """Return the time that the test has set, in Unix seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock by which tokens expire."""
    clock = Clock()
    monkeypatch.setattr("livetables.auth.accounts.time", clock)
    monkeypatch.setattr("livetables.auth.signed_in.time", clock)
    return clock
