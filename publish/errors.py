"""The errors of the publishers. They report mistakes of the calling program, never an outage.

PublishError
├── UnknownRunError         the run was neither started nor joined with this publisher
├── IllegalTransitionError  the status flow does not allow this change
├── NotClaimedError         it is unknown whether the run was claimed
├── SpoolUnusableError      the spool file belongs to another process, or is not a spool
├── PublisherClosedError    the publisher was closed before the call
└── UndeliveredError        the publisher was closed before everything was sent
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from db.agents.models import RunStatus


class PublishError(Exception):
    """The base of all errors that this package raises."""


class UnknownRunError(PublishError):
    """The run is unknown: start it with `start_run`, or take over an existing one with `join_run`."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"This publisher knows no run {run_id}. Start it, or join it, first.")


class IllegalTransitionError(PublishError):
    """The database would refuse this change of status, so it was not sent."""

    def __init__(self, before: RunStatus, after: RunStatus) -> None:
        super().__init__(f"A run cannot go from {before.value} to {after.value}.")


class NotClaimedError(PublishError):
    """The database did not answer, or refused for a reason other than that the run is taken."""

    def __init__(self, run_id: str, reason: str) -> None:
        super().__init__(f"The run {run_id} could not be taken over: {reason}")


class SpoolUnusableError(PublishError):
    """The spool file cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"The spool {path} cannot be used: {reason}. One process at a time can have it.")


class PublisherClosedError(PublishError):
    """The publisher is closed and takes no more calls."""

    def __init__(self) -> None:
        super().__init__("The publisher is closed.")


class UndeliveredError(PublishError):
    """The database stayed unreachable until the end. `runs` are the ids of the incomplete runs."""

    def __init__(self, runs: Sequence[str]) -> None:
        super().__init__(f"Not everything of these runs could be published: {', '.join(runs)}")
        self.runs = tuple(runs)
