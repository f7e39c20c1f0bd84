"""The two candidates of a task, side by side, as plain text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ui.base.html import EMPTY, Markup, Template, join
from ui.ratings.auto_check_html import chips_html, findings

_LONGEST_SHOWN: Final = 60_000
"""Characters of a candidate: nobody compares more than that by eye."""

_SQL: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "CREATE"})
"""Begin a statement in capitals. In lower case they could as well begin a sentence."""

_WRAPPERS: Final = frozenset({"text", "content"})

_SECTION: Final = Template(
    '<section aria-label="Task"><div class="tv-prompt"><h2>The task</h2>'
    '<div class="tv-verbatim">{prompt}</div></div><div class="tv-pair">{candidates}</div></section>'
)
_CANDIDATE: Final = Template(
    '<article class="tv-candidate" aria-label="Candidate {label}"><h3>{label}</h3>'
    '<div class="tv-verbatim{code}" tabindex="0">{text}</div>{cut}{checks}</article>'
)
_CUT: Final = Template("<p><small>… {count} more characters</small></p>")
_CHECKS: Final = Template("<footer>{chips}</footer>")


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt and its two candidates, in the order of the database."""

    prompt: str
    candidate_a: object
    candidate_b: object
    auto_check: Mapping[str, object] | None = None


def pair_html(pair: Pair, *, swapped: bool) -> Markup:
    """Show the prompt and both candidates, the second one on the left when they are swapped."""
    sides = [
        ("candidate_a", pair.candidate_a),
        ("candidate_b", pair.candidate_b),
    ]
    if swapped:
        sides.reverse()
    candidates = (
        _candidate(label, candidate, chips_html(findings(pair.auto_check, name)))
        for label, (name, candidate) in zip("AB", sides, strict=True)
    )
    return _SECTION(prompt=pair.prompt, candidates=join(candidates))


def _candidate(label: str, candidate: object, chips: Markup) -> Markup:
    text, is_code = candidate_text(candidate)
    more = len(text) - _LONGEST_SHOWN
    return _CANDIDATE(
        label=label,
        code=" code" if is_code else "",
        text=text[:_LONGEST_SHOWN],
        cut=_CUT(count=f"{more:,}") if more > 0 else EMPTY,
        checks=_CHECKS(chips=chips) if chips else EMPTY,
    )


def candidate_text(candidate: object) -> tuple[str, bool]:
    """Return a candidate as text, and whether it is code, which needs a font with columns.

    A text may be wrapped: `{"text": ...}` or `{"content": ...}`.
    """
    if isinstance(candidate, Mapping) and len(candidate) == 1:
        [(key, value)] = candidate.items()
        if key in _WRAPPERS and isinstance(value, str):
            candidate = value
    if isinstance(candidate, str):
        return candidate, _is_sql(candidate) or _is_json(candidate)
    return json.dumps(candidate, ensure_ascii=False, indent=2, default=str), True


def _is_sql(text: str) -> bool:
    """Return whether a text is one statement and nothing else."""
    statement = text.strip().removesuffix(";")
    words = statement.split(maxsplit=1)
    return len(words) == 2 and words[0] in _SQL and ";" not in statement


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
