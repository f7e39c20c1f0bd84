"""What happened, as it is told after a commit: ids only, since those who are to vote are blind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """What happened."""

    TASK_CREATED = "task_created"
    TASK_CHANGED = "task_changed"
    JUDGED = "judged"
    UNDONE = "undone"
    CAMPAIGN_CHANGED = "campaign_changed"
    RATER_CHANGED = "rater_changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a tenant."""

    kind: EventKind
    tenant_id: str
    campaign_id: str | None = None
    task_id: str | None = None
    rater_id: str | None = None
    brand_id: str | None = None

    def payload(self) -> Mapping[str, object]:
        """Return what is sent."""
        said = {"campaign_id": self.campaign_id, "task_id": self.task_id, "rater_id": self.rater_id}
        return {"kind": self.kind.value, **{key: value for key, value in said.items() if value}}


Listener = Callable[[Event], None]
"""Is told after the commit. It must return soon and must not raise."""
