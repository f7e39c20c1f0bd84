"""The events after a commit. They hold ids only, because raters must not learn anything before they vote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """The kinds of events."""

    TASK_CREATED = "task_created"
    TASK_CHANGED = "task_changed"
    JUDGED = "judged"
    UNDONE = "undone"
    CAMPAIGN_CHANGED = "campaign_changed"
    RATER_CHANGED = "rater_changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One event in a tenant."""

    kind: EventKind
    tenant_id: str
    campaign_id: str | None = None
    task_id: str | None = None
    rater_id: str | None = None
    brand_id: str | None = None

    def payload(self) -> Mapping[str, object]:
        """Return the message that is broadcast: the kind, and the ids that are set."""
        ids = {"campaign_id": self.campaign_id, "task_id": self.task_id, "rater_id": self.rater_id}
        return {"kind": self.kind.value, **{name: value for name, value in ids.items() if value}}


Listener = Callable[[Event], None]
"""Called after the commit. It must return soon and must not raise."""
