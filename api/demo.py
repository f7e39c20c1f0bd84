"""The demo agent, as the API offers it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import Field

from api.crew import Agent, Options
from api.models import NO_NUL
from demo_agent.agent import NAME, PACE, Errand, check_documents
from publish.background import Work


class DocsOptions(Options):
    """Which documents, and how fast."""

    pattern: str = Field(
        "*", min_length=1, max_length=200, pattern=NO_NUL, description="Of their paths, as docs/*.md."
    )
    pace: float = Field(PACE.total_seconds(), ge=0, le=10, description="Seconds of rest after each.")


def docs_checker(root: Path) -> Agent:
    """Return the agent that checks the documents of a folder."""

    def prepare(told: Mapping[str, object]) -> Work:
        options = DocsOptions.model_validate(told)
        return partial(check_documents, Errand(root, options.pattern, timedelta(seconds=options.pace)))

    return Agent(NAME, "Checks the links and the style of the project's documents.", DocsOptions, prepare)
