"""While somebody attacks, what others write arrives."""

import asyncio

from local_supabase.stack.runtime import StackInfo
from tests.security.hostile.work import attacked, work
from tests.support.people import sign_up

WRITTEN = 20


def test_nothing_is_lost_while_somebody_attacks(stack: StackInfo) -> None:
    people = [sign_up(stack, name) for name in ("Ada", "Bo")]
    # Three at the same time, so that the machine is not full of attackers.
    with attacked(stack, sign_up(stack, "Eve"), ["many_fields", "slow_pattern", "flood"]):
        noticed = asyncio.run(work(stack, people, seconds=0, at_least=WRITTEN))
    assert noticed.lost == []
    assert len(noticed.arrived) == WRITTEN
