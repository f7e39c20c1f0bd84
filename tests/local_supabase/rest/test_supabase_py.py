"""Every call of the query builder of the unchanged Python client."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from postgrest import APIError
from postgrest.types import CountMethod
from supabase import Client, ClientOptions, create_client

from tests.local_supabase.rest.conftest import Rest

Query = Any  # the builders' types differ from call to call


@pytest.fixture
def client(rest: Rest) -> Iterator[Client]:
    with httpx.Client() as http:
        options = ClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
        yield create_client(rest.stack.url, rest.stack.anon_key, options)
    rest.sql("truncate public.things, public.pairs")


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        (lambda q: q.eq("id", 1), [1]),
        (lambda q: q.neq("id", 1), [2, 3]),
        (lambda q: q.gt("id", 1), [2, 3]),
        (lambda q: q.gte("id", 2), [2, 3]),
        (lambda q: q.lt("id", 2), [1]),
        (lambda q: q.lte("id", 2), [1, 2]),
        (lambda q: q.is_("flag", "null"), [3]),
        (lambda q: q.is_("flag", None), [3]),
        (lambda q: q.not_.is_("flag", "null"), [1, 2]),
        (lambda q: q.like("nick", "A%"), [1]),
        (lambda q: q.ilike("nick", "%B%"), [2]),
        (lambda q: q.like_all_of("nick", "A%,%a"), [1]),
        (lambda q: q.like_any_of("nick", "A%,b%"), [1, 2]),
        (lambda q: q.ilike_all_of("nick", "a%,%A"), [1]),
        (lambda q: q.ilike_any_of("nick", "a%,B%"), [1, 2]),
        (lambda q: q.in_("id", [1, 3]), [1, 3]),
        (lambda q: q.in_("Weird, name", ["x,y"]), [1]),
        (lambda q: q.not_.in_("id", [1]), [2, 3]),
        (lambda q: q.contains("tags", ["a"]), [1]),
        (lambda q: q.contains("doc", {"name": "bar"}), [2]),
        (lambda q: q.contained_by("tags", ["a", "b", "c"]), [1, 2]),
        (lambda q: q.overlaps("tags", ["c", "z"]), [2]),
        (lambda q: q.range_gt("span", (0, 2)), [2]),
        (lambda q: q.range_adjacent("span", (19, 30)), [2]),
        (lambda q: q.fts("body", "cat"), [1]),
        (lambda q: q.text_search("search", "cat", options={"config": "english"}), [1]),
        (lambda q: q.plfts("search", "fat cats"), [1]),
        (lambda q: q.phfts("search", "fat cats"), [1]),
        (lambda q: q.wfts("search", "cats -dogs"), [1]),
        (lambda q: q.or_("id.eq.1,flag.is.false"), [1, 2]),
        (lambda q: q.match({"id": 1, "flag": "true"}), [1]),
        (lambda q: q.filter("doc->>name", "eq", "foo"), [1]),
        (lambda q: q.filter("id", "in", "(1,2)"), [1, 2]),
        (lambda q: q.order("id", desc=True).limit(1), [3]),
        (lambda q: q.order("amount", nullsfirst=True).limit(1), [3]),
        (lambda q: q.order("id").range(1, 2), [2, 3]),
        (lambda q: q.order("id").offset(2), [3]),
    ],
)
def test_every_filter_of_the_client(
    client: Client, condition: Callable[[Query], Query], ids: list[int]
) -> None:
    query: Query = client.table("samples").select("id")
    rows: Query = condition(query).execute().data
    assert sorted(row["id"] for row in rows) == ids


def test_selecting_embedding_and_counting(client: Client) -> None:
    response = (
        client.table("clients")
        .select("name,projects!inner(id,tasks(name))", count=CountMethod.exact)
        .eq("projects.name", "IOS")
        .order("id", desc=True, foreign_table="projects")
        .limit(1, foreign_table="projects")
        .execute()
    )
    assert response.count == 1
    assert response.data == [
        {"name": "Apple", "projects": [{"id": 3, "tasks": [{"name": "Design IOS"}, {"name": "Code IOS"}]}]}
    ]
    head = client.table("projects").select("*", count=CountMethod.exact, head=True).execute()
    assert (head.count, head.data) == (5, [])


def test_single_and_maybe_single(client: Client) -> None:
    assert client.table("clients").select("name").eq("id", 1).single().execute().data == {"name": "Microsoft"}
    maybe = client.table("clients").select("name").eq("id", 99).maybe_single().execute()
    assert maybe is None
    with pytest.raises(APIError) as caught:
        client.table("clients").select("name").single().execute()
    assert caught.value.code == "PGRST116"
    assert caught.value.details == "The result contains 2 rows"


def test_every_write_of_the_client(client: Client) -> None:
    things: Query = client.table("things")
    assert things.insert({"name": "a", "note": "x"}).execute().data[0]["amount"] == 7
    assert (
        things.insert([{"name": "b"}, {"name": "c", "amount": 1}], count=CountMethod.exact).execute().count
        == 2
    )
    assert not things.insert({"name": "d"}, returning="minimal").execute().data
    assert things.upsert({"name": "a", "note": "y"}, on_conflict="name").execute().data[0]["note"] == "y"
    kept = things.upsert({"name": "a", "note": "z"}, on_conflict="name", ignore_duplicates=True).execute()
    assert kept.data == []
    assert things.update({"note": "n"}).eq("name", "a").execute().data[0]["note"] == "n"
    assert len(things.delete().in_("name", ["a", "b"]).execute().data) == 2
    with pytest.raises(APIError) as caught:
        things.insert({"name": "c"}).execute()
    assert caught.value.code == "23505"
    defaults = things.upsert([{"name": "e"}, {"name": "f", "amount": 1}], default_to_null=False).execute()
    assert [row["amount"] for row in defaults.data] == [7, 1]


def test_every_call_of_the_client(client: Client) -> None:
    assert client.rpc("add", {"a": 1, "b": 2}).execute().data == 3
    assert client.rpc("add", {"a": 1, "b": 2}, get=True).execute().data == 3
    assert client.rpc("projects_of", {"client": 1}).select("id").order("id", desc=True).execute().data == [
        {"id": 2},
        {"id": 1},
    ]
    counted = client.rpc("projects_of", {"client": 1}, count=CountMethod.exact, head=True).execute()
    assert counted.count == 2
    assert client.rpc("nothing", {}).execute().data in (None, [], "")
    with pytest.raises(APIError) as caught:
        client.rpc("fail", {"code": "P0001"}).execute()
    assert (caught.value.code, caught.value.hint) == ("P0001", "the hint")


def test_csv_schemas_and_plans(client: Client) -> None:
    csv: Query = client.table("clients").select("*").order("id").csv().execute().data
    assert csv == "id,name\n1,Microsoft\n2,Apple"
    with pytest.raises(APIError) as caught:
        client.schema("hidden").table("secrets").select("*").execute()
    assert caught.value.code == "PGRST106"
    with pytest.raises(APIError) as refused:
        client.table("clients").select("*").explain().execute()
    assert refused.value.code == "PGRST107"


def test_signed_in_people_write_what_is_theirs(rest: Rest, client: Client) -> None:
    response = client.auth.sign_up({"email": "ann@rest.example", "password": "a-long-password"})
    assert response.user is not None
    written: Query = client.table("notes").insert({"body": "mine", "secret": True}).execute().data
    assert written[0]["owner"] == response.user.id
    assert len(client.table("notes").select("*").execute().data) == 2
    assert len(rest.get("/notes").json()) == 1
    with pytest.raises(APIError) as caught:
        client.table("notes").insert(
            {"body": "theirs", "owner": "00000000-0000-0000-0000-000000000001"}
        ).execute()
    assert caught.value.code == "42501"
    assert client.table("notes").update({"body": "x"}).eq("body", "hidden").execute().data == []
