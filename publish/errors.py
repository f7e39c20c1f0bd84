"""What a publisher raises: mistakes of the program that uses it, never an outage.

PublishError
├── UnknownRun          this publisher did not start (or join) the run
├── IllegalTransition   the flow of statuses does not lead there
├── NotClaimed          nobody can say whether the run was taken over
├── SpoolUnusable       the spool file is another process's, or no spool
├── Closed              it was closed before this was said
└── Undelivered         it was closed before everything could be sent
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from db.agent_models import RunStatus


class PublishError(Exception):
    """Any of them."""


class UnknownRun(PublishError):
    """Start the run with `start_run`, or take over one that is there with `join_run`."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"This publisher knows no run {run_id}. Start it, or join it, first.")


class IllegalTransition(PublishError):
    """The database would refuse this change of status, so it is not even tried."""

    def __init__(self, before: RunStatus, after: RunStatus) -> None:
        super().__init__(f"A run cannot go from {before.value} to {after.value}.")


class NotClaimed(PublishError):
    """The database could not be asked, or refused for another reason than that the run is taken."""

    def __init__(self, run_id: str, reason: str) -> None:
        super().__init__(f"The run {run_id} could not be taken over: {reason}")


class SpoolUnusable(PublishError):
    """The file for what is not sent yet cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"The spool {path} cannot be used: {reason}. One process at a time can have it.")


class Closed(PublishError):
    """Nothing can be said any more with this publisher."""

    def __init__(self) -> None:
        super().__init__("The publisher is closed.")


class Undelivered(PublishError):
    """The database could not be reached until the end; `runs` are the ids of what is not complete there."""

    def __init__(self, runs: Sequence[str]) -> None:
        super().__init__(f"Not everything of these runs could be published: {', '.join(runs)}")
        self.runs = tuple(runs)
