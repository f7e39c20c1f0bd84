"""Where and how a process tells of its state."""

from __future__ import annotations

from enum import StrEnum

# Answered without the database: the supervisor asks only whether the process still works.
LIVE_PATH = "/health/live"


class ServiceHealth(StrEnum):
    """The state of a service, as `/health` reports it."""

    OK = "ok"
    OFF = "switched off"
    FAILED = "did not start"
    SILENT = "does not answer"
