"""The client for programs outside the app: agents publish their runs, routers their decisions.

It writes to Supabase with a person's own token and uses the row types and errors of `db/`. The pages, the
engine and Streamlit are not used here. Start reading at `publisher.py` (agents) or `metrics.py` (routing).

```python
async with AgentEventPublisher(url, key, token) as publisher:
    run_id = await publisher.start_run(agent_name="orchestrator", task_id="task_123")
    await publisher.update_progress(run_id, step="Reading", progress=25, tokens=1200)
    await publisher.complete_run(run_id, result={"files": 3})
```
"""

from __future__ import annotations

from db.agents.models import Level, RunStatus
from publish.errors import (
    IllegalTransitionError,
    NotClaimedError,
    PublisherClosedError,
    PublishError,
    SpoolUnusableError,
    UndeliveredError,
    UnknownRunError,
)
from publish.metrics import AsyncMetricsCollector, RoutingDecision, SyncMetricsCollector
from publish.publisher import AgentEventPublisher
from publish.sync import SyncAgentEventPublisher
from publish.transport import TokenSource

__all__ = [
    "AgentEventPublisher",
    "AsyncMetricsCollector",
    "IllegalTransitionError",
    "Level",
    "NotClaimedError",
    "PublishError",
    "PublisherClosedError",
    "RoutingDecision",
    "RunStatus",
    "SpoolUnusableError",
    "SyncAgentEventPublisher",
    "SyncMetricsCollector",
    "TokenSource",
    "UndeliveredError",
    "UnknownRunError",
]
