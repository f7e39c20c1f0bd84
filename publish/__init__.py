"""How programs publish the runs of their agents to the board: `AgentEventPublisher`, or its sync sister.

```python
async with AgentEventPublisher(url, key, token) as publisher:
    run_id = await publisher.start_run(agent_name="orchestrator", task_id="task_123")
    await publisher.update_progress(run_id, step="Reading", progress=25, tokens=1200)
    await publisher.complete_run(run_id, result={"files": 3})
```

Nothing that is called waits for the database, and no outage of it raises into the agent.
"""

from __future__ import annotations

from db.agent_models import Level, RunStatus
from publish.errors import (
    Closed,
    IllegalTransition,
    NotClaimed,
    PublishError,
    SpoolUnusable,
    Undelivered,
    UnknownRun,
)
from publish.metrics import AsyncMetricsCollector, RoutingDecision, SyncMetricsCollector
from publish.publisher import AgentEventPublisher
from publish.sync import SyncAgentEventPublisher
from publish.transport import TokenSource

__all__ = [
    "AgentEventPublisher",
    "AsyncMetricsCollector",
    "Closed",
    "IllegalTransition",
    "Level",
    "NotClaimed",
    "PublishError",
    "RoutingDecision",
    "RunStatus",
    "SpoolUnusable",
    "SyncAgentEventPublisher",
    "SyncMetricsCollector",
    "TokenSource",
    "Undelivered",
    "UnknownRun",
]
