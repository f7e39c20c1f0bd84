"""What the edge function `auto-check` found out, beside the candidate it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from ui.text import as_html

_NAMES: Final = {"json": "JSON", "sql": "SQL"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a candidate is what it has to be; `error` says why not."""

    kind: str
    valid: bool
    error: str | None


def findings(auto_check: Mapping[str, object] | None, candidate: str) -> list[Finding]:
    """Return what was found of `candidate_a` or `candidate_b`, if anything was."""
    check = (auto_check or {}).get(candidate)
    if not isinstance(check, Mapping):
        return []
    applies = check.get("applies")
    kinds = [kind for kind in _NAMES if isinstance(applies, list) and kind in applies]
    return [_finding(cast("Mapping[str, object]", check), kind) for kind in kinds]


def _finding(check: Mapping[str, object], kind: str) -> Finding:
    error = check.get(f"{kind}_error")
    return Finding(kind, check.get(f"{kind}_valid") is True, error if isinstance(error, str) else None)


def chips_html(found: list[Finding]) -> str:
    """Show the findings in a line."""
    return "".join(_chip(finding) for finding in found)


def _chip(finding: Finding) -> str:
    name = _NAMES[finding.kind]
    if finding.valid:
        return f'<span class="tv-check good">{name} is valid</span>'
    why = f": {as_html(finding.error)}" if finding.error else ""
    return f'<span class="tv-check bad">{name} is not valid<small>{why}</small></span>'
