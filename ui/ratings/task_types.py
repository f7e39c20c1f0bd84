"""The usual types of task, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_WORDS: Final[Mapping[str, str]] = {
    "tool_call_qa": "Calls of tools",
    "text_to_sql": "Questions as SQL",
    "json_extraction": "JSON from text",
    "summary": "Summaries",
    "classification": "Sorting into classes",
    "product_copy": "Texts about products",
    "chat": "Chat",
}
TASK_TYPES: Final = tuple(_WORDS)
"""The types to choose from; a campaign may have others."""


def words_for(task_type: str) -> str:
    """Return what tasks of a type are about; a type of one's own is its own name."""
    return _WORDS.get(task_type, task_type)


def choice(task_type: str) -> str:
    """Return the words with the name that imports use: `Questions as SQL (text_to_sql)`."""
    words = _WORDS.get(task_type)
    return task_type if words is None else f"{words} ({task_type})"
