"""While somebody attacks, the others wait at most three times as long as without, and lose nothing.

The file has no test name, so that only `make soak` runs it, for `TAVERN_HOSTILE_SECONDS`.
"""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from local_supabase.stack.runtime import StackInfo
from tests.security.hostile.acts import ACTS
from tests.security.hostile.work import attacked, work
from tests.support.people import sign_up

SECONDS = float(os.environ.get("TAVERN_HOSTILE_SECONDS", "300"))
LIMIT = 3
"""How many times as long as in quiet a write, and its arrival, may take at the median and 95th percentile."""
SAMPLES = 60
"""How many messages are written in each part, at least."""


@pytest.mark.timeout(SECONDS + 1800)
def test_others_hardly_notice_an_attack(stack: StackInfo) -> None:
    people, attacker = [sign_up(stack, name) for name in ("Ada", "Bo")], sign_up(stack, "Eve")
    each = SECONDS / (2 * len(ACTS) + 1)
    before = asyncio.run(work(stack, people, seconds=each, at_least=SAMPLES))
    slow, lost = [], [*before.lost]
    for act in ACTS:
        with attacked(stack, attacker, [act]):
            noticed = asyncio.run(work(stack, people, seconds=each, at_least=SAMPLES))
        # Other work of the machine comes and goes, so an attack is compared with the quiet around it.
        after = asyncio.run(work(stack, people, seconds=each, at_least=SAMPLES))
        quiet, before = before.with_(after), after
        ratios = [
            now / usual
            for percent in (50, 95)
            for now, usual in zip(noticed.percentile(percent), quiet.percentile(percent), strict=True)
        ]
        figures = " ".join(f"{ratio:.2f}" for ratio in ratios)
        sys.stdout.write(
            f"{act}: {len(noticed.arrived)} messages; p50 and p95 of answer, arrival: {figures} x quiet\n"
        )
        lost += noticed.lost + after.lost
        if max(ratios) > LIMIT:
            slow.append(f"{act}: {figures}")
    assert (slow, lost) == ([], [])
