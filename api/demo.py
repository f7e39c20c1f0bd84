"""The demo agent in the form that the API can start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import Field

from api.agent_registry import Agent, Options
from api.models import NO_NUL
from demo_agent.agent import NAME, PAUSE, CheckOptions, check_documents
from publish.background import Work


class DocsOptions(Options):
    """Which documents the agent checks, and how fast."""

    pattern: str = Field(
        "*",
        min_length=1,
        max_length=200,
        pattern=NO_NUL,
        description="A pattern for their paths, such as docs/*.md.",
    )
    pace: float = Field(
        PAUSE.total_seconds(), ge=0, le=10, description="Seconds of pause after each document."
    )


def docs_checker(root: Path) -> Agent:
    """Return the agent that checks the documents below a folder."""

    def prepare(values: Mapping[str, object]) -> Work:
        options = DocsOptions.model_validate(values)
        return partial(check_documents, CheckOptions(root, options.pattern, timedelta(seconds=options.pace)))

    return Agent(NAME, "Checks the links and the style of the project's documents.", DocsOptions, prepare)
