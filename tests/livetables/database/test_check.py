"""Asking a real project, over HTTP as anybody and as the owner of its database."""

from collections.abc import Iterator

import pytest

from livetables.database.check import describe, describe_database
from livetables.errors import ReadError
from local_supabase.stack.runtime import StackInfo
from tests.livetables.database.tables import ITEMS
from tests.supabase_schema.database import session


@pytest.fixture
def items(plain: StackInfo) -> Iterator[StackInfo]:
    """Give the project with a watched table and an unwatched one."""
    with session(plain.database_url) as owner:
        owner.run(ITEMS + "create table public.others (id int primary key); select livetables.watch('items')")
        owner.run("notify pgrst, 'reload schema'")
        owner.commit()
        yield plain
        owner.rollback()
        owner.run("drop table public.items, public.others")
        owner.commit()


def test_anybody_learns_what_is_watched(items: StackInfo) -> None:
    found = describe(items.url, items.anon_key)
    assert [table.name for table in found.tables] == ["items"]
    assert found.problems == ()


def test_the_owner_learns_the_same(items: StackInfo) -> None:
    assert describe_database(items.database_url) == describe(items.url, items.anon_key)


def test_a_table_that_is_not_watched_comes_with_the_mend(items: StackInfo) -> None:
    found = describe(items.url, items.anon_key, ["others", "itmes"])
    assert [(table.name, table.version) for table in found.tables] == [("others", None), ("itmes", None)]
    errors = {(problem.table, problem.code): problem for problem in found.errors}
    assert errors["others", "no_log"].mend == "select livetables.watch('others');"
    assert errors["itmes", "no_table"].message.endswith("Did you mean items?")


@pytest.fixture
def bare(plain: StackInfo) -> Iterator[StackInfo]:
    """Give the project without the function that is asked."""
    with session(plain.database_url) as owner:
        reload = "notify pgrst, 'reload schema'"
        owner.run(f"alter function public.livetables_tables(text[]) rename to gone; {reload}")
        owner.commit()
        yield plain
        owner.run(f"alter function public.gone(text[]) rename to livetables_tables; {reload}")
        owner.commit()


def test_a_project_without_livetables_is_told_apart(bare: StackInfo) -> None:
    over_http, as_owner = describe(bare.url, bare.anon_key), describe_database(bare.database_url)
    assert [problem.code for problem in over_http.errors] == ["no_changes_since"]
    assert as_owner == over_http


def test_a_wrong_key_is_no_problem_of_the_tables(plain: StackInfo) -> None:
    with pytest.raises(ReadError, match="answers 401"):
        describe(plain.url, "wrong")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense"])
def test_no_answer_is_an_error(url: str) -> None:
    with pytest.raises(ReadError, match="does not answer"):
        describe(url, "key")


def test_no_database_is_an_error() -> None:
    with pytest.raises(ReadError, match="does not answer"):
        describe_database("postgresql://nobody@127.0.0.1:9/nothing")
