"""Reads with filters, orders and selections, as clients write them into a URL."""

import pytest

from tests.local_supabase.rest.conftest import Rest


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("id=eq.1", [1]),
        ("id=neq.1", [2, 3]),
        ("id=gt.1&id=lt.3", [2]),
        ("id=gte.2", [2, 3]),
        ("id=lte.1", [1]),
        ("id=not.eq.1", [2, 3]),
        ("id=in.(1,3)", [1, 3]),
        ("id=not.in.(1,3)", [2]),
        ("id=in.()", []),
        ("id=eq(any).{1,3}", [1, 3]),
        ("id=gt(all).{1,2}", [3]),
        ("id=not.eq(any).{1,3}", [2]),
        ("flag=is.true", [1]),
        ("flag=is.FALSE", [2]),
        ("flag=is.null", [3]),
        ("flag=is.unknown", [3]),
        ("flag=not.is.null", [1, 2]),
        ("flag=is.not_null", [1, 2]),
        ("flag=eq.true", [1]),
        ("amount=eq.10.5", [1]),
        ("amount=isdistinct.10.5", [2, 3]),
        ("amount=not.isdistinct.10.5", [1]),
        ("at=gte.2026-01-15", [2]),
        ("day=eq.2026-01-01", [1]),
        ("mood=eq.happy", [1]),
        ("mood=gt.ok", [1]),
        ("mood=in.(sad,ok)", [2]),
        ("short=eq.abcdef", []),
        ("fixed=eq.ab", [1]),
        ("fixed=eq.ab%20%20", [1]),
        ("code=eq.00000000-0000-0000-0000-000000000001", [1]),
        ("bits=eq.101", [1]),
        ("bits=eq.1011", []),
        ("score=gt.5", [2]),
        ("score=eq.-1", []),
        ("bin=eq.\\x00ff", [1]),
        ("addr=eq.10.0.0.2", [2]),
        ("nick=like.*d*", [1]),
        ("nick=like.%25d%25", [1]),
        ("nick=ilike.ADA", [1]),
        ("nick=not.ilike.*A*", [2]),
        ("nick=match.^A", [1]),
        ("nick=imatch.^a", [1]),
        ("nick=like(any).{A*,b*}", [1, 2]),
        ("nick=ilike(all).{*A*,a*}", [1]),
        ("tags=cs.{a}", [1]),
        ("tags=cd.{a,b,c}", [1, 2]),
        ("tags=ov.{c,z}", [2]),
        ("tags=not.ov.{c,z}", [1]),
        ("tags=eq.{a,b}", [1]),
        ("numbers=cs.{1}", [1]),
        ("span=cs.[2,3)", [1]),
        ("span=cd.[0,15)", [1]),
        ("span=ov.[9,12)", [1, 2]),
        ("span=sl.[15,30)", [1]),
        ("span=sr.[0,1)", [1, 2]),
        ("span=nxr.[1,10)", [1]),
        ("span=nxl.[5,10)", [2]),
        ("span=adj.[20,21)", [2]),
        ("spans=ov.{[1,2)}", [1]),
        ("body=fts(english).cat", [1]),
        ("body=plfts(english).fat%20cats", [1]),
        ("body=phfts(english).fat%20cats", [1]),
        ("body=wfts(english).cats%20-dogs", [1]),
        ("body=not.fts(english).cat", [2]),
        ("search=fts.cat", [1]),
        ("search=fts(english).cats", [1]),
        ('doc=cs.{"name":"foo"}', [1]),
        ("doc->>name=eq.foo", [1]),
        ("doc->a->b=eq.2", [2]),
        ("doc->a->>b=eq.2", [2]),
        ("doc->list->0=eq.1", [1]),
        ("doc->list->>-1=eq.3", [1]),
        ("doc->>name=in.(foo,bar)", [1, 2]),
        ("doc->n=eq.null", [1]),
        ("doc->>n=is.null", [1, 2, 3]),
        ("raw->>k=eq.v", [1]),
        ("tags->>0=eq.c", [2]),
        ('"Weird, name"=eq.x,y', [1]),
        ('"Weird, name"=in.("x,y","a\\"b")', [1, 2]),
        ("or=(id.eq.1,flag.is.false)", [1, 2]),
        ("not.or=(id.eq.1,id.eq.2)", [3]),
        ("and=(id.gt.1,not.or(flag.is.false,id.eq.7))", [3]),
        ("and=(id.gt.1,or(flag.is.false,id.eq.3))", [2, 3]),
        ("or=(tags.cs.{a,b},nick.in.(bob,eve),doc->>name.eq.zzz)", [1, 2]),
        ('or=(nick.eq."Ada",body.like."*no, nothing*")', [1]),
        ("id=gte.2&or=(flag.is.false,flag.is.null)&nick=is.null", [3]),
    ],
)
def test_a_filter_returns_exactly_its_rows(rest: Rest, condition: str, ids: list[int]) -> None:
    response = rest.get(f"/samples?select=id&order=id&{condition}")
    assert response.status_code == 200, response.text
    assert [row["id"] for row in response.json()] == ids


@pytest.mark.parametrize(
    ("select", "row"),
    [
        ("id,nick", {"id": 1, "nick": "Ada"}),
        ("number:id,nick", {"number": 1, "nick": "Ada"}),
        ("id::text", {"id": "1"}),
        ("amount::int", {"amount": 11}),
        ("amount::double%20precision", {"amount": 10.5}),
        ("n:amount::text", {"n": "10.50"}),
        ("mood::text", {"mood": "happy"}),
        ("text:mood::mood", {"text": "happy"}),
        ("doc->a->b", {"b": 1}),
        ("doc->a", {"a": {"b": 1}}),
        ("doc->list->>0", {"list": "1"}),
        ("first:doc->list->0", {"first": 1}),
        ("doc->list->-1::int", {"list": 3}),
        ("raw->>k", {"k": "v"}),
        ("tags->1", {"tags": "b"}),
        ("span,spans", {"span": "[1,10)", "spans": "{[1,3),[5,8)}"}),
        ('"Weird, name"', {"Weird, name": "x,y"}),
        ("fixed,bits,bin", {"fixed": "ab  ", "bits": "101", "bin": "\\x00ff"}),
    ],
)
def test_a_selection_decides_the_columns(rest: Rest, select: str, row: dict[str, object]) -> None:
    assert rest.get(f"/samples?select={select}&id=eq.1").json() == [row]


def test_numbers_keep_the_form_that_postgres_gives_them(rest: Rest) -> None:
    assert '"amount":10.50' in rest.get("/samples?select=amount&id=eq.1").text


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("id", [1, 2, 3]),
        ("id.desc", [3, 2, 1]),
        ("amount", [2, 1, 3]),
        ("amount.desc", [3, 1, 2]),
        ("amount.desc.nullslast", [1, 2, 3]),
        ("amount.nullsfirst", [3, 2, 1]),
        ("flag.desc.nullslast,id.desc", [1, 2, 3]),
        ("doc->>name.desc.nullslast", [1, 2, 3]),
        ("doc->a->b.desc.nullslast", [2, 1, 3]),
    ],
)
def test_rows_come_in_order(rest: Rest, order: str, ids: list[int]) -> None:
    assert [row["id"] for row in rest.get(f"/samples?select=id&order={order}").json()] == ids


@pytest.mark.parametrize(
    ("query", "status", "code", "message"),
    [
        ("id=eq.abc", 400, "22P02", 'invalid input syntax for type integer: "abc"'),
        ("id=eq.99999999999", 400, "22003", 'value "99999999999" is out of range for type integer'),
        ("id=like.1*", 404, "42883", "operator does not exist: integer ~~ unknown"),
        ("doc=match.x", 404, "42883", "operator does not exist: jsonb ~ unknown"),
        ("mood=eq.angry", 400, "22P02", 'invalid input value for enum mood: "angry"'),
        ("nope=eq.1", 400, "42703", "column samples.nope does not exist"),
        ("select=nope", 400, "42703", "column samples.nope does not exist"),
        ("order=nope", 400, "42703", "column samples.nope does not exist"),
        ("select=id::nope", 400, "42704", 'type "nope" does not exist'),
        ("body=fts(nolang).x", 400, "42704", 'text search configuration "nolang" does not exist'),
        ("body=fts.a%20b", 400, "42601", 'syntax error in tsquery: "a b"'),
        ("tags=cs.notanarray", 400, "22P02", 'malformed array literal: "notanarray"'),
        ("nick=match.[", 400, "2201B", "invalid regular expression: brackets [] not balanced"),
        ("select=amount.sum()", 400, "PGRST123", "Use of aggregate functions is not allowed"),
        ("select=count()", 400, "PGRST123", "Use of aggregate functions is not allowed"),
        ("tasks.id=eq.1", 400, "PGRST108", "'tasks' is not an embedded resource in this request"),
        ("limit=-1", 416, "PGRST103", "Requested range not satisfiable"),
    ],
)
def test_a_bad_query_is_an_error_with_four_keys(
    rest: Rest, query: str, status: int, code: str, message: str
) -> None:
    response = rest.get(f"/samples?{query}")
    body = response.json()
    assert (response.status_code, body["code"], body["message"]) == (status, code, message)
    assert set(body) == {"code", "message", "details", "hint"}
    assert response.headers["proxy-status"] == f"PostgREST; error={code}"


def test_a_missing_table_gets_a_hint(rest: Rest) -> None:
    response = rest.get("/projcts")
    assert response.status_code == 404
    assert response.json() == {
        "code": "PGRST205",
        "details": None,
        "hint": "Perhaps you meant the table 'public.projects'",
        "message": "Could not find the table 'public.projcts' in the schema cache",
    }


@pytest.mark.parametrize("table", ["projects_view", "open_projects", "totals", "project_names"])
def test_views_are_read_like_tables(rest: Rest, table: str) -> None:
    assert len(rest.get(f"/{table}?limit=2").json()) == 2


def test_a_computed_column_is_read_like_a_column(rest: Rest) -> None:
    rows = rest.get("/projects?select=id,shout&shout=in.(OSX,IOS)&order=shout.desc").json()
    assert rows == [{"id": 4, "shout": "OSX"}, {"id": 3, "shout": "IOS"}]


def test_columns_without_a_privilege_are_refused(rest: Rest) -> None:
    assert rest.get("/locked?select=id,open_column").json() == [{"id": 1, "open_column": 2}]
    for query in (
        "select=closed_column",
        "select=id&closed_column=eq.3",
        "select=*",
        "select=id&order=closed_column",
    ):
        response = rest.get(f"/locked?{query}")
        assert (response.status_code, response.json()["code"]) == (401, "42501")
        assert response.headers["www-authenticate"] == "Bearer"


def test_row_level_security_filters_the_rows(rest: Rest) -> None:
    assert [row["body"] for row in rest.get("/notes?select=body").json()] == ["public"]
    everything = rest.get("/notes?select=body&order=id", **rest.as_service()).json()
    assert [row["body"] for row in everything] == ["public", "hidden"]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("id=eq.1&select=shade", [{"shade": "#0000ff"}]),
        ("id=eq.1", [{"id": 1, "shade": "#0000ff", "client_id": 1}]),
        ("id=eq.3", [{"id": 3, "shade": None, "client_id": None}]),
        ("shade=eq.%2300ff00&select=id", [{"id": 2}]),
        ("shade=in.(0000ff,00ff00)&select=id&order=id", [{"id": 1}, {"id": 2}]),
        ("id=eq.1&select=c:shade", [{"c": "#0000ff"}]),
    ],
)
def test_a_domain_representation_is_shown_and_filtered(rest: Rest, query: str, rows: object) -> None:
    assert rest.get(f"/paints?{query}").json() == rows


def test_a_domain_representation_is_written_and_embedded(rest: Rest) -> None:
    embedded = rest.get("/clients?select=paints(*)&id=eq.2").json()
    assert embedded == [{"paints": [{"id": 2, "shade": "#00ff00", "client_id": 2}]}]
    changed = rest("PATCH", "/paints?id=eq.1", json={"shade": "#0000ff"}, Prefer="return=representation")
    assert changed.json() == [{"id": 1, "shade": "#0000ff", "client_id": 1}]
