"""What agents say, brought into a form that the schema takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from db.agent_models import Level, RunStatus
from publish.outbox import Outbox
from publish.plain import cost_of, count_of, metadata_of, plain, text_of
from publish.unsent import Values

_LONGEST_STEP, _LONGEST_ERROR, _LONGEST_LINE = 300, 5_000, 20_000
_LONGEST_NAME, _LONGEST_ID = 80, 200
_MOST_TOKENS: Final = 2**63 - 1


class Reports:
    """What an agent can say, for both publishers: into the outbox, without waiting for anything."""

    def __init__(self, on_news: Callable[[], object]) -> None:
        self.outbox: Final = Outbox(on_news)

    def start(
        self,
        agent_name: str,
        *,
        task_id: str | None,
        user_id: str | None,
        agent_id: str | None,
        metadata: Mapping[str, object] | None,
        retry_of: str | None,
        status: RunStatus,
    ) -> str:
        """Note a new run."""
        values: Values = {
            "agent_name": _optional(agent_name, _LONGEST_NAME),
            "agent_id": _optional(agent_id or agent_name, _LONGEST_ID),
            "task_id": _optional(task_id, _LONGEST_ID),
            "metadata": metadata_of(metadata or {}),
            "retry_of": _optional(retry_of, _LONGEST_ID),
        }
        if user_id is not None:
            values["user_id"] = text_of(user_id)
        return self.outbox.open(values, status)

    def progress(
        self,
        run_id: str,
        step: str | None,
        progress: float | None,
        tokens: int | None,
        cost_usd: Decimal | float | None,
    ) -> None:
        """Note how far a run is."""
        values: Values = {}
        if progress is not None:
            values["progress_percent"] = min(100.0, max(0.0, float(progress)))
        if (count := count_of(tokens, _MOST_TOKENS)) is not None:
            values["tokens"] = count
        if (cost := cost_of(cost_usd)) is not None:
            values["cost_usd"] = format(cost, "f")
        self.outbox.progress(run_id, values, None if step is None else _step(step))

    def move(self, run_id: str, status: RunStatus | str, step: str | None, evidence: object) -> None:
        """Note a change of status."""
        values: Values = {} if step is None else {"current_step": _step(step)}
        self.outbox.move(run_id, RunStatus(status), values, None if evidence is None else plain(evidence))

    def complete(self, run_id: str, result: object) -> None:
        """Note that a run has done what it should."""
        self.outbox.move(run_id, RunStatus.COMPLETED, {"result": plain(result)})

    def fail(self, run_id: str, error: str) -> None:
        """Note that a run came to nothing."""
        self.outbox.move(run_id, RunStatus.FAILED, {"error": text_of(error)[:_LONGEST_ERROR]})

    def log(self, run_id: str, text: str, level: Level | str) -> None:
        """Note a line of the log."""
        self.outbox.log(run_id, text_of(text)[:_LONGEST_LINE], Level(level))


def _step(text: str) -> str:
    return " ".join(text_of(text).split())[:_LONGEST_STEP]


def _optional(text: object, longest: int) -> str | None:
    return None if text is None else text_of(text)[:longest]
