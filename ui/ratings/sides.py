"""Which candidate a rater sees on which side.

The order is computed from the task and the rater, and not stored: half of all raters see the candidates
swapped, a rater sees the same order after a reload or an undo, and an export can say which candidate was on
the left. Nobody who adds tasks can choose it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from db.ratings.task_models import Verdict

_MIRRORED: Final[Mapping[Verdict, Verdict]] = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}

VERDICT_LABELS: Final[Mapping[Verdict, str]] = {
    Verdict.A: "A is better",
    Verdict.B: "B is better",
    Verdict.TIE: "Equally good",
    Verdict.BOTH_BAD: "Both bad",
}
"""What a page calls a verdict. Where the candidates are shown to a rater, A is the left one."""


def swapped(task_id: str, rater_id: str) -> bool:
    """Tell whether this rater sees the second candidate on the left."""
    return bool(hashlib.sha256(f"{task_id}\n{rater_id}".encode()).digest()[0] & 1)


def mirrored(verdict: Verdict, *, swapped: bool) -> Verdict:
    """Translate a verdict on the sides into one on the candidates, or back, which is the same."""
    return _MIRRORED.get(verdict, verdict) if swapped else verdict
