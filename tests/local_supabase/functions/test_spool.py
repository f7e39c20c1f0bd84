"""What a client has sent and its function has not read yet."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from local_supabase.functions.spool import MEMORY_BYTES, Spool, Spools
from tests.support.wait import wait_until

PART = 40_000
BODY = random.Random(1).randbytes(50 * PART)


async def fill(spool: Spool) -> None:
    for start in range(0, len(BODY), PART):
        await spool.put(BODY[start : start + PART])
    spool.end()


async def rest(spool: Spool) -> bytes:
    body = b""
    while part := await spool.get():
        body += part
    return body


async def is_stuck(task: asyncio.Task[None]) -> bool:
    """Return whether a task waits although everything else has had its turn."""
    done, _ = await asyncio.wait([task], timeout=0.05)
    return not done


async def test_what_nobody_reads_waits_in_a_file_without_a_name(tmp_path: Path) -> None:
    spools = Spools(tmp_path)
    with spools.spool() as spool:
        await fill(spool)
        assert os.listdir(tmp_path) == []
        assert not spools.take(spools.file_bytes - len(BODY) + MEMORY_BYTES)
        assert await rest(spool) == BODY
        # All of it is read, so all of the room is free again.
        assert spools.take(spools.file_bytes)


async def test_both_sides_may_take_turns_in_any_order(tmp_path: Path) -> None:
    with Spools(tmp_path).spool() as spool:
        filling = asyncio.create_task(fill(spool))
        assert await rest(spool) == BODY
        await filling


async def test_without_room_in_files_the_client_waits_for_its_function(tmp_path: Path) -> None:
    with Spools(tmp_path, file_bytes=3 * PART).spool() as spool:
        filling = asyncio.create_task(fill(spool))
        assert await is_stuck(filling)
        assert await rest(spool) == BODY
        await filling


async def test_room_that_another_call_leaves_is_used(tmp_path: Path) -> None:
    spools = Spools(tmp_path, file_bytes=len(BODY))
    with spools.spool() as second:
        with spools.spool() as first:
            await fill(first)
            filling = asyncio.create_task(fill(second))
            assert await is_stuck(filling)
        await filling
        assert await rest(second) == BODY
    assert spools.take(len(BODY))


async def test_a_disk_that_cannot_be_written_makes_the_client_wait(tmp_path: Path) -> None:
    spools = Spools(tmp_path / "missing")
    with spools.spool() as spool:
        filling = asyncio.create_task(fill(spool))
        assert await is_stuck(filling)
        assert spools.take(spools.file_bytes)
        assert await rest(spool) == BODY
        await filling


@pytest.mark.parametrize("file_bytes", [0, 10 * len(BODY)])
async def test_what_nobody_will_read_is_dropped(tmp_path: Path, file_bytes: int) -> None:
    spools = Spools(tmp_path, file_bytes)
    with spools.spool() as spool:
        await spool.put(BODY)
        filling = asyncio.create_task(fill(spool))
        await asyncio.sleep(0)
        spool.abandon()
        await wait_until(filling.done, what="the client's end")
        assert spools.take(file_bytes)
