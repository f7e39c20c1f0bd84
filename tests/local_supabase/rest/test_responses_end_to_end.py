"""The HTTP interface of reads: counts, ranges, formats, schemas, methods, tokens."""

import asyncio
import time

import httpx
import jwt
import pytest

from local_supabase.keys import load_keys
from local_supabase.stack.datadir import DataDir
from tests.local_supabase.rest.conftest import Rest


@pytest.mark.parametrize(
    ("query", "headers", "status", "content_range"),
    [
        ("", {}, 200, "0-4/*"),
        ("", {"Prefer": "count=exact"}, 200, "0-4/5"),
        ("limit=2", {"Prefer": "count=exact"}, 206, "0-1/5"),
        ("limit=2&offset=4", {"Prefer": "count=exact"}, 206, "4-4/5"),
        ("offset=5", {"Prefer": "count=exact"}, 206, "*/5"),
        ("limit=0", {"Prefer": "count=exact"}, 206, "*/5"),
        ("limit=0", {}, 200, "*/*"),
        ("id=gt.99", {"Prefer": "count=exact"}, 200, "*/0"),
        ("id=gt.3", {"Prefer": "count=exact"}, 200, "0-1/2"),
        ("", {"Range": "1-2"}, 200, "1-2/*"),
        ("", {"Range": "1-2", "Range-Unit": "items", "Prefer": "count=exact"}, 206, "1-2/5"),
        ("limit=3", {"Range": "2-9"}, 200, "2-2/*"),
        ("", {"Prefer": "count=estimated"}, 200, "0-4/5"),
    ],
)
def test_a_response_states_its_range_and_the_total(
    rest: Rest, query: str, headers: dict[str, str], status: int, content_range: str
) -> None:
    response = rest.get(f"/projects?select=id&order=id&{query}", **headers)
    assert (response.status_code, response.headers["content-range"]) == (status, content_range)
    head = rest("HEAD", f"/projects?select=id&order=id&{query}", **headers)
    assert head.content == b""
    assert "content-length" not in head.headers


def test_an_offset_behind_the_last_row_is_416(rest: Rest) -> None:
    response = rest.get("/projects?offset=100", Prefer="count=exact")
    assert response.status_code == 416
    assert response.headers["content-range"] == "*/5"
    assert response.json() == {
        "code": "PGRST103",
        "details": "An offset of 100 was requested, but there are only 5 rows.",
        "hint": None,
        "message": "Requested range not satisfiable",
    }


def test_a_planned_count_comes_from_the_planner(rest: Rest) -> None:
    response = rest.get("/clients?select=id", Prefer="count=planned")
    assert int(response.headers["content-range"].split("/")[1]) > 0
    assert response.headers["preference-applied"] == "count=planned"


def test_a_response_has_at_most_max_rows(rest: Rest) -> None:
    response = rest.post("/rpc/numbers", {})
    assert len(response.json()) == 5
    rest.sql("create table public.many as select generate_series(1, 1200) as id")
    try:
        assert len(rest.get("/many").json()) == 1000
        exact = rest.get("/many?limit=5000", Prefer="count=exact")
        assert (exact.status_code, exact.headers["content-range"]) == (206, "0-999/1200")
        estimated = rest.get("/many?limit=1", Prefer="count=estimated")
        assert int(estimated.headers["content-range"].split("/")[1]) > 1000
        rest.sql(
            "create function public.all_many() returns setof public.many stable language sql "
            "as 'select * from public.many'"
        )
        called = rest.post("/rpc/all_many?limit=1", {}, Prefer="count=estimated")
        assert called.headers["content-range"] == "0-0/1200"
    finally:
        rest.sql("drop table public.many cascade")


def test_one_row_can_be_returned_as_an_object(rest: Rest) -> None:
    response = rest.get("/projects?select=id&id=eq.1", Accept="application/vnd.pgrst.object+json")
    assert response.json() == {"id": 1}
    assert response.headers["content-type"] == "application/vnd.pgrst.object+json; charset=utf-8"


@pytest.mark.parametrize(("query", "rows"), [("id=eq.99", 0), ("id=lt.4", 3)])
def test_an_object_needs_exactly_one_row(rest: Rest, query: str, rows: int) -> None:
    response = rest.get(f"/projects?{query}", Accept="application/vnd.pgrst.object+json")
    assert response.status_code == 406
    assert response.json() == {
        "code": "PGRST116",
        "details": f"The result contains {rows} rows",
        "hint": None,
        "message": "Cannot coerce the result to a single JSON object",
    }


def test_nulls_can_be_stripped(rest: Rest) -> None:
    response = rest.get(
        "/projects?select=id,client_id&id=eq.5", Accept="application/vnd.pgrst.array+json;nulls=stripped"
    )
    assert response.json() == [{"id": 5}]
    one = rest.get(
        "/projects?select=id,client_id&id=eq.5", Accept="application/vnd.pgrst.object+json;nulls=stripped"
    )
    assert one.json() == {"id": 5}


def test_csv(rest: Rest) -> None:
    response = rest.get("/projects?id=in.(1,5)&order=id", Accept="text/csv")
    assert response.text == 'id,name,client_id\n1,"Windows 7",1\n5,Orphan,'
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert rest.get("/projects?id=eq.99", Accept="text/csv").text == "\n"


def test_plans_are_refused_as_on_a_hosted_project(rest: Rest) -> None:
    response = rest.get("/projects", Accept="application/vnd.pgrst.plan+json")
    assert (response.status_code, response.json()["code"]) == (406, "PGRST107")


def test_only_exposed_schemas_are_served(rest: Rest) -> None:
    response = rest.get("/secrets", Accept_Profile="hidden")
    assert response.status_code == 406
    assert response.json() == {
        "code": "PGRST106",
        "details": None,
        "hint": "Only the following schemas are exposed: public, graphql_public",
        "message": "Invalid schema: hidden",
    }
    assert rest.post("/things", {}, Content_Profile="hidden").status_code == 406
    assert rest.get("/projects", Accept_Profile="public").headers["content-profile"] == "public"
    assert rest.get("/projects", Accept_Profile="graphql_public").json()["code"] == "PGRST205"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("TRACE", "/projects", 405, "PGRST117"),
        ("PATCH", "/rpc/add", 405, "PGRST101"),
        ("POST", "/", 405, "PGRST117"),
        ("GET", "/a/b/c", 404, "PGRST125"),
        ("GET", "/rpc/nope", 404, "PGRST202"),
        ("OPTIONS", "/nope", 404, "PGRST205"),
        ("GET", "/nope?select=id,more(*)", 404, "PGRST205"),
    ],
)
def test_other_methods_and_paths_are_refused(
    rest: Rest, method: str, path: str, status: int, code: str
) -> None:
    response = rest(method, path)
    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/projects", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"),
        ("/keyless", "OPTIONS,GET,HEAD,POST,PATCH,DELETE"),
        ("/totals", "OPTIONS,GET,HEAD"),
        ("/rpc/add", "OPTIONS,GET,HEAD,POST"),
        ("/rpc/make_thing", "OPTIONS,POST"),
        ("/", "OPTIONS,GET,HEAD"),
    ],
)
def test_options_lists_the_allowed_methods(rest: Rest, path: str, allowed: str) -> None:
    assert rest("OPTIONS", path).headers["allow"] == allowed


def test_the_root_describes_what_the_caller_may_use(rest: Rest) -> None:
    response = rest.get("/")
    document = response.json()
    assert response.headers["content-type"] == "application/openapi+json; charset=utf-8"
    assert document["swagger"] == "2.0"
    assert document["definitions"]["projects"]["properties"]["id"] == {"format": "integer", "type": "integer"}
    assert document["definitions"]["projects"]["description"] == "What is being worked on"
    assert document["definitions"]["samples"]["properties"]["mood"]["enum"] == ["sad", "ok", "happy"]
    assert "/rpc/add" in document["paths"]
    assert "/rpc/denied" not in document["paths"]


def _token(rest: Rest, **claims: object) -> str:
    secret = load_keys(DataDir(rest.stack.data_dir)).jwt_secret
    return jwt.encode({"role": "anon", **claims}, secret, algorithm="HS256")


@pytest.mark.parametrize(
    ("claims", "status", "code", "message"),
    [
        ({"exp": int(time.time()) - 3600}, 401, "PGRST303", "JWT expired"),
        ({"exp": "soon"}, 401, "PGRST303", "The JWT 'exp' claim must be a number"),
        ({"role": "nobody_known"}, 401, "22023", 'role "nobody_known" does not exist'),
        ({"role": "postgres"}, 403, "42501", 'permission denied to set role "postgres"'),
    ],
)
def test_tokens_with_bad_claims_are_refused(
    rest: Rest, claims: dict[str, object], status: int, code: str, message: str
) -> None:
    response = rest.get("/projects", Authorization=f"Bearer {_token(rest, **claims)}")
    assert (response.status_code, response.json()["code"], response.json()["message"]) == (
        status,
        code,
        message,
    )


def test_a_token_without_a_role_acts_as_anon(rest: Rest) -> None:
    secret = load_keys(DataDir(rest.stack.data_dir)).jwt_secret
    token = jwt.encode({"sub": "00000000-0000-0000-0000-000000000001"}, secret, algorithm="HS256")
    who = rest.post("/rpc/who", {}, Authorization=f"Bearer {token}").json()
    assert who == {"user": "anon", "role": "anon", "uid": "00000000-0000-0000-0000-000000000001"}


@pytest.mark.parametrize(
    ("token", "message"),
    [("nonsense", "Expected 3 parts in JWT; got 1"), ("a.b.c", "JWT couldn't be decoded")],
)
def test_malformed_tokens_are_refused(rest: Rest, token: str, message: str) -> None:
    response = rest.get("/projects", Authorization=f"Bearer {token}")
    body = response.json()
    assert (response.status_code, body["code"], body["message"]) == (401, "PGRST301", message)
    assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


def test_a_token_of_another_project_is_refused(rest: Rest) -> None:
    token = jwt.encode({"role": "service_role"}, "another-secret-of-32-characters-or-more", algorithm="HS256")
    assert rest.get("/projects", Authorization=f"Bearer {token}").json()["code"] == "PGRST301"


def test_a_request_without_a_key_is_refused(rest: Rest) -> None:
    response = httpx.get(f"{rest.stack.url}/rest/v1/projects")
    assert response.status_code == 401
    assert (
        httpx.get(f"{rest.stack.url}/rest/v1/clients?apikey={rest.stack.anon_key}&id=eq.1").json()[0]["id"]
        == 1
    )


def test_strict_handling_refuses_unknown_preferences(rest: Rest) -> None:
    response = rest.get("/projects", Prefer="handling=strict, something=else")
    assert response.json()["details"] == "Invalid preferences: something=else"
    assert rest.get("/projects", Prefer="handling=lenient, something=else").status_code == 200


async def test_two_hundred_concurrent_requests_all_get_a_response(rest: Rest) -> None:
    headers = {"apikey": rest.stack.anon_key}
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(
        base_url=f"{rest.stack.url}/rest/v1", headers=headers, limits=limits
    ) as client:
        responses = await asyncio.gather(
            *(
                client.get(f"/projects?select=id,clients(name)&id=eq.{n % 5 + 1}", timeout=60)
                for n in range(200)
            )
        )
    assert [response.json()[0]["id"] for response in responses] == [n % 5 + 1 for n in range(200)]
