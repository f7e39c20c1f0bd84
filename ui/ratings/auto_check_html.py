"""The findings of the edge function `auto-check`, shown beside the candidate that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from ui.base.html import Markup, Template, join

_NAMES: Final = {"json": "JSON", "sql": "SQL"}
_VALID: Final = Template('<span class="tv-check good">{name} is valid</span>')
_INVALID: Final = Template('<span class="tv-check bad">{name} is not valid<small>{error}</small></span>')


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a candidate is valid JSON or SQL; `error` says why not."""

    kind: str
    valid: bool
    error: str | None


def findings(auto_check: Mapping[str, object] | None, candidate: str) -> list[Finding]:
    """Return the findings about `candidate_a` or `candidate_b`; none where the check did not apply."""
    check = (auto_check or {}).get(candidate)
    if not isinstance(check, Mapping):
        return []
    applies = check.get("applies")
    kinds = [kind for kind in _NAMES if isinstance(applies, list) and kind in applies]
    return [_finding(cast("Mapping[str, object]", check), kind) for kind in kinds]


def _finding(check: Mapping[str, object], kind: str) -> Finding:
    error = check.get(f"{kind}_error")
    return Finding(kind, check.get(f"{kind}_valid") is True, error if isinstance(error, str) else None)


def chips_html(found: Iterable[Finding]) -> Markup:
    """Show findings in a line."""
    return join(map(_chip, found))


def _chip(finding: Finding) -> Markup:
    name = _NAMES[finding.kind]
    if finding.valid:
        return _VALID(name=name)
    return _INVALID(name=name, error=f": {finding.error}" if finding.error else "")
