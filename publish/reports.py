"""Brings what agents report into the form of the schema, and hands it to the outbox."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from db.agents.models import Level, RunStatus
from publish.outbox import Outbox
from publish.run_options import NewRun
from publish.sanitize import cost_of, count_of, json_value, metadata_of, text_of
from publish.unsent import Values

_LONGEST_STEP, _LONGEST_ERROR, _LONGEST_LINE = 300, 5_000, 20_000
_LONGEST_NAME, _LONGEST_ID = 80, 200
_MOST_TOKENS: Final = 2**63 - 1


class Reports:
    """The reports of agents, for both publishers. No method waits.

    `on_change` is called whenever the outbox has something new to send.
    """

    def __init__(self, on_change: Callable[[], object]) -> None:
        self.outbox: Final = Outbox(on_change)

    def start(self, run: NewRun) -> str:
        """Add a new run and return its id."""
        values: Values = {
            "agent_name": _optional(run.agent_name, _LONGEST_NAME),
            "agent_id": _optional(run.agent_id or run.agent_name, _LONGEST_ID),
            "task_id": _optional(run.task_id, _LONGEST_ID),
            "metadata": metadata_of(run.metadata or {}),
            "retry_of": _optional(run.retry_of, _LONGEST_ID),
        }
        if run.user_id is not None:
            values["user_id"] = text_of(run.user_id)
        return self.outbox.open(values, run.status)

    def progress(
        self,
        run_id: str,
        step: str | None,
        progress: float | None,
        tokens: int | None,
        cost_usd: Decimal | float | None,
    ) -> None:
        """Report the current step, the progress in percent, and tokens and US dollars used so far."""
        values: Values = {}
        if progress is not None:
            values["progress_percent"] = min(100.0, max(0.0, float(progress)))
        if (count := count_of(tokens, _MOST_TOKENS)) is not None:
            values["tokens"] = count
        if (cost := cost_of(cost_usd)) is not None:
            values["cost_usd"] = format(cost, "f")
        self.outbox.progress(run_id, values, None if step is None else _step(step))

    def move(self, run_id: str, status: RunStatus | str, step: str | None, evidence: object) -> None:
        """Report a change of status. Raises `IllegalTransitionError`, or `ValueError` for no status."""
        values: Values = {} if step is None else {"current_step": _step(step)}
        json_evidence = None if evidence is None else json_value(evidence)
        self.outbox.move(run_id, RunStatus(status), values, json_evidence)

    def complete(self, run_id: str, result: object) -> None:
        """Report success and its result."""
        self.outbox.move(run_id, RunStatus.COMPLETED, {"result": json_value(result)})

    def fail(self, run_id: str, error: str) -> None:
        """Report failure and its reason."""
        self.outbox.move(run_id, RunStatus.FAILED, {"error": text_of(error)[:_LONGEST_ERROR]})

    def log(self, run_id: str, text: str, level: Level | str) -> None:
        """Report a line of the log. Raises `ValueError` for an unknown level."""
        self.outbox.log(run_id, text_of(text)[:_LONGEST_LINE], Level(level))


def _step(text: str) -> str:
    return " ".join(text_of(text).split())[:_LONGEST_STEP]


def _optional(text: object, longest: int) -> str | None:
    return None if text is None else text_of(text)[:longest]
