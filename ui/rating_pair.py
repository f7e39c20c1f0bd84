"""The two candidates of a task, side by side: as text, whatever is in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ui.rating_check import chips_html, findings
from ui.text import as_html

_MOST_SHOWN: Final = 60_000
"""Characters of a candidate that are shown; nobody compares more than that by eye."""

_SQL: Final = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE)\s[^;]+;?\s*", re.DOTALL)
"""A statement in capitals, and nothing else: lower-case letters may as well begin a sentence."""

_WRAPPERS: Final = frozenset({"text", "content"})


@dataclass(frozen=True, slots=True)
class Pair:
    """What is to be compared, in the order of the database."""

    prompt: str
    candidate_a: object
    candidate_b: object
    auto_check: Mapping[str, object] | None = None


def pair_html(pair: Pair, *, swapped: bool) -> str:
    """Show the prompt and both candidates, the second first when they are swapped."""
    sides = [
        ("candidate_a", pair.candidate_a),
        ("candidate_b", pair.candidate_b),
    ]
    if swapped:
        sides.reverse()
    shown = "".join(
        _candidate(label, candidate, chips_html(findings(pair.auto_check, name)))
        for label, (name, candidate) in zip("AB", sides, strict=True)
    )
    prompt = (
        f'<div class="tv-prompt"><h2>The task</h2><div class="tv-said">{as_html(pair.prompt)}</div></div>'
    )
    return f'<section aria-label="Task">{prompt}<div class="tv-pair">{shown}</div></section>'


def _candidate(label: str, candidate: object, chips: str) -> str:
    text, is_code = said(candidate)
    cut = (
        ""
        if len(text) <= _MOST_SHOWN
        else f"<p><small>… {len(text) - _MOST_SHOWN:,} more characters</small></p>"
    )
    kind = "tv-said code" if is_code else "tv-said"
    checks = f"<footer>{chips}</footer>" if chips else ""
    return (
        f'<article class="tv-candidate" aria-label="Candidate {label}"><h3>{label}</h3>'
        f'<div class="{kind}" tabindex="0">{as_html(text[:_MOST_SHOWN])}</div>{cut}{checks}</article>'
    )


def said(candidate: object) -> tuple[str, bool]:
    """Return what a candidate says as text, and whether it is code, which needs its columns.

    A text may be wrapped: `{"text": ...}` or `{"content": ...}`.
    """
    if isinstance(candidate, Mapping) and len(candidate) == 1:
        [(key, value)] = candidate.items()
        if key in _WRAPPERS and isinstance(value, str):
            candidate = value
    if isinstance(candidate, str):
        return candidate, _SQL.fullmatch(candidate) is not None or _is_json(candidate)
    return json.dumps(candidate, ensure_ascii=False, indent=2, default=str), True


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
