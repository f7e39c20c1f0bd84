"""Which candidate stands on which side, for whom.

The order is drawn from the task and the rater, not kept: half of all raters see the candidates the other way
round, the same rater sees them in the same order after a reload or an undo, and what was on which side can
be told again from a judgment that says who made it on what. Nobody who enters tasks can choose it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from db.rating_task_models import Verdict

_CROSSED: Final[Mapping[Verdict, Verdict]] = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}

SHOWN: Final[Mapping[Verdict, str]] = {
    Verdict.A: "A is better",
    Verdict.B: "B is better",
    Verdict.TIE: "Equally good",
    Verdict.BOTH_BAD: "Both bad",
}
"""What a verdict is called, of candidates that are seen in their own order."""


def swapped(task_id: str, rater_id: str) -> bool:
    """Tell whether this rater sees the second candidate first."""
    return bool(hashlib.sha256(f"{task_id}\n{rater_id}".encode()).digest()[0] & 1)


def turned(verdict: Verdict, *, swapped: bool) -> Verdict:
    """Turn what is said of the sides into what is said of the candidates, or the other way round."""
    return _CROSSED.get(verdict, verdict) if swapped else verdict
