"""Writing rows over HTTP: conflicts, refusals and lost answers, on a real stack."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from livetables.config import EngineConfig
from livetables.database.check import describe
from livetables.errors import ClashError, WriteError
from livetables.library.requests import Rest, Seen
from livetables.library.specs import Wanted, spec_of
from livetables.tables.changes import Record
from local_supabase.stack.runtime import StackInfo
from tests.livetables.fault_proxy import FaultProxy


@pytest.fixture
async def rest(proxy: FaultProxy, shop: StackInfo) -> AsyncIterator[Rest]:
    spec = spec_of(describe(shop.url, shop.anon_key, ["items"]).tables[0], Wanted())
    async with httpx.AsyncClient() as http:
        yield Rest(EngineConfig(proxy.url, shop.anon_key), http, None, spec, "version")


async def new(rest: Rest, title: str) -> Record:
    return await rest.insert({"id": str(uuid4()), "title": title})


def seen(record: Record) -> Seen:
    return Seen(record, int(str(record["version"])))


def key(record: Record) -> tuple[str]:
    return (str(record["id"]),)


async def test_changes_of_different_columns_both_stay(rest: Rest) -> None:
    item = await new(rest, "Tea")
    await rest.update(key(item), {"done": True}, seen(item))
    merged = await rest.update(key(item), {"title": "Coffee"}, seen(item))
    assert (merged["title"], merged["done"]) == ("Coffee", True)


async def test_the_same_column_changed_differently_is_a_clash(rest: Rest) -> None:
    item = await new(rest, "Tea")
    await rest.update(key(item), {"title": "Coffee"}, seen(item))
    with pytest.raises(ClashError) as raised:
        await rest.update(key(item), {"title": "Milk", "done": True}, seen(item))
    assert (raised.value.mine, raised.value.theirs["title"]) == ({"title": "Milk"}, "Coffee")


async def test_the_same_change_by_both_is_none(rest: Rest) -> None:
    item = await new(rest, "Tea")
    await rest.update(key(item), {"done": True}, seen(item))
    assert (await rest.update(key(item), {"done": True}, seen(item)))["done"] is True


async def test_a_row_that_was_not_seen_can_be_changed(rest: Rest) -> None:
    item = await new(rest, "Tea")
    assert (await rest.update(key(item), {"title": "Coffee"}, None))["title"] == "Coffee"


async def test_a_row_that_is_gone_cannot_be_changed_and_may_be_deleted_again(rest: Rest) -> None:
    item = await new(rest, "Tea")
    for _ in range(2):
        await rest.delete(key(item))
    with pytest.raises(WriteError, match="not there any more"):
        await rest.update(key(item), {"done": True}, seen(item))


@pytest.mark.parametrize(
    ("title", "told"),
    [("forbidden", "not allowed"), ("x" * 60, "items_title_check")],
    ids=["policy", "check"],
)
async def test_a_refusal_says_why(rest: Rest, title: str, told: str) -> None:
    with pytest.raises(WriteError, match=told):
        await new(rest, title)


async def test_a_write_whose_answer_is_lost_happens_once(rest: Rest, proxy: FaultProxy) -> None:
    answers = iter([True])
    proxy.loses_answer = lambda: next(answers, False)
    item = await new(rest, "Tea")
    assert item["version"] is not None
    answers = iter([True])
    updated = await rest.update(key(item), {"title": "Coffee"}, seen(item))
    assert updated["title"] == "Coffee"
    assert int(str(updated["version"])) > int(str(item["version"]))


async def test_without_a_connection_nothing_is_written_and_that_is_told(
    rest: Rest, proxy: FaultProxy
) -> None:
    proxy.failing = True
    with pytest.raises(WriteError):
        await new(rest, "Tea")
