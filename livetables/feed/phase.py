"""The phases of a feed and the transitions between them, without any I/O."""

from __future__ import annotations

from enum import Enum, auto

from livetables.feed.status import FeedState


class Phase(Enum):
    """What a feed knows of its stream and of reading over HTTP. The `on_` methods return the next phase."""

    CONNECTING = auto()
    """There is no stream, and nothing was read since it was lost."""
    POLLING = auto()
    """There is no stream; the last read succeeded."""
    OFFLINE = auto()
    """There is no stream; the last read failed, or nothing answered in time."""
    BEHIND = auto()
    """There is a stream; changes committed before it opened may be missing."""
    UNREADABLE = auto()
    """There is a stream, but the last read failed, so changes may be missing."""
    CURRENT = auto()
    """There is a stream, and everything before it was read."""

    @property
    def streaming(self) -> bool:
        """Whether changes arrive over a stream."""
        return self in (Phase.BEHIND, Phase.UNREADABLE, Phase.CURRENT)

    @property
    def unreachable(self) -> bool:
        """Whether the last read failed."""
        return self in (Phase.OFFLINE, Phase.UNREADABLE)

    def on_stream_opened(self) -> Phase:
        """Return the phase after a subscription has become ready. Doing so again changes nothing."""
        if self.streaming:
            return self
        return Phase.UNREADABLE if self is Phase.OFFLINE else Phase.BEHIND

    def on_stream_lost(self, *, nothing_answers: bool = False) -> Phase:
        """Return the phase after the stream has ended or could not be opened.

        `nothing_answers` says that HTTP did not answer either.
        """
        if nothing_answers or self is Phase.UNREADABLE:
            return Phase.OFFLINE
        return Phase.CONNECTING if self.streaming else self

    def on_read(self, *, gapless: bool) -> Phase:
        """Return the phase after a successful read.

        `gapless` says that the stream was open before the read began and has missed nothing since.
        """
        if not self.streaming:
            return Phase.POLLING
        return Phase.CURRENT if gapless else Phase.BEHIND

    def on_read_failed(self) -> Phase:
        """Return the phase after a failed read, or one that is not answered in time."""
        return Phase.UNREADABLE if self.streaming else Phase.OFFLINE

    def on_read_refused(self) -> Phase:
        """Return the phase after a read that was answered with a refusal: the server is there."""
        return Phase.BEHIND if self.streaming else Phase.CONNECTING

    def on_change_missed(self) -> Phase:
        """Return the phase after a change of the stream could not be applied."""
        return Phase.BEHIND if self is Phase.CURRENT else self

    def state(self, *, loaded: bool, incomplete: bool = False) -> FeedState:
        """Return what people see in this phase.

        `loaded` says whether the tables have their first rows, `incomplete` whether the database lacks
        something.
        """
        if self.unreachable and not (self.streaming and loaded):
            return FeedState.OFFLINE
        if incomplete:
            return FeedState.INCOMPLETE
        if not loaded:
            return FeedState.CONNECTING
        return _STATES[self]


_STATES = {
    Phase.CONNECTING: FeedState.CONNECTING,
    Phase.POLLING: FeedState.POLLING,
    Phase.BEHIND: FeedState.CATCHING_UP,
    Phase.UNREADABLE: FeedState.CATCHING_UP,
    Phase.CURRENT: FeedState.LIVE,
}
