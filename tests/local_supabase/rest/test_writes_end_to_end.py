"""Inserts, upserts, updates and deletes, and their responses."""

from collections.abc import Iterator

import pytest

from tests.local_supabase.rest.conftest import Rest

REPRESENTATION = {"Prefer": "return=representation"}


@pytest.fixture(autouse=True)
def _clean(rest: Rest) -> Iterator[None]:
    """Empty the tables that the tests write to."""
    yield
    rest.sql(
        "truncate public.things, public.pairs, public.keyless, public.always, public.checked, public.deferred"
    )


def _names(rest: Rest) -> list[object]:
    return [row[0] for row in rest.sql("select name from public.things order by name")]


def test_an_upsert_of_no_rows_creates_nothing(rest: Rest) -> None:
    merged = rest.post("/things", [], Prefer="return=representation,resolution=merge-duplicates")
    assert (merged.status_code, merged.json()) == (200, [])
    assert rest.post("/things", [], Prefer="return=representation").status_code == 201


def test_an_insert_returns_no_body_by_default(rest: Rest) -> None:
    response = rest.post("/things", {"name": "one"})
    assert (response.status_code, response.content) == (201, b"")
    assert response.headers["content-range"] == "*/*"
    assert "preference-applied" not in response.headers
    assert _names(rest) == ["one"]


def test_an_insert_returns_its_rows_on_request(rest: Rest) -> None:
    response = rest.post(
        "/things?select=name,amount",
        [{"name": "b"}, {"name": "a"}],
        Prefer="return=representation,count=exact",
    )
    assert response.status_code == 201
    assert response.json() == [{"name": "b", "amount": 7}, {"name": "a", "amount": 7}]
    assert response.headers["content-range"] == "*/2"
    assert response.headers["preference-applied"] == "return=representation, count=exact"


def test_an_insert_returns_the_location_of_its_row(rest: Rest) -> None:
    response = rest.post("/pairs", {"a": 1, "b": 2}, Prefer="return=headers-only")
    assert (response.status_code, response.content) == (201, b"")
    assert response.headers["location"] == "/pairs?a=eq.1&b=eq.2"
    assert rest.get(response.headers["location"]).json() == [{"a": 1, "b": 2, "value": None}]


@pytest.mark.parametrize("body", [[{"name": "a"}, {"name": "b", "amount": 1}], [{"name": "a"}, 5]])
def test_rows_with_different_keys_are_refused(rest: Rest, body: object) -> None:
    response = rest.post("/things", body)
    assert (response.status_code, response.json()["code"]) == (400, "PGRST102")
    assert _names(rest) == []


@pytest.mark.parametrize(("preference", "amount"), [("missing=default", 7), ("missing=null", None)])
def test_missing_keys_of_named_columns_become_default_or_null(
    rest: Rest, preference: str, amount: int | None
) -> None:
    rows = [{"name": "a", "extra": 1}, {"name": "b", "amount": 1}]
    response = rest.post(
        "/things?columns=name,amount&select=name,amount", rows, Prefer=f"return=representation,{preference}"
    )
    assert response.json() == [{"name": "a", "amount": amount}, {"name": "b", "amount": 1}]
    assert preference in response.headers["preference-applied"]


def test_an_empty_list_inserts_nothing_and_an_empty_object_a_row_of_defaults(rest: Rest) -> None:
    assert rest.post("/things", [], **REPRESENTATION).json() == []
    assert [row["amount"] for row in rest.post("/things", {}, **REPRESENTATION).json()] == [7]
    assert len(rest.post("/things", [{}, {}], **REPRESENTATION).json()) == 2


def test_written_rows_come_in_the_requested_order(rest: Rest) -> None:
    rows = [{"name": name} for name in ("a", "c", "b")]
    response = rest.post("/things?select=name&order=name.desc", rows, **REPRESENTATION)
    assert [row["name"] for row in response.json()] == ["c", "b", "a"]
    by_id = rest(
        "PATCH", "/things?name=neq.a&select=name&order=id.desc", json={"note": "x"}, **REPRESENTATION
    )
    assert [row["name"] for row in by_id.json()] == ["b", "c"]
    embedding = "/clients?id=eq.1&select=id,projects(id)&projects.order=id.desc"
    changed = rest("PATCH", embedding, json={"name": "Microsoft"}, **REPRESENTATION)
    assert changed.json() == [{"id": 1, "projects": [{"id": 2}, {"id": 1}]}]


def test_csv_and_forms_are_rows_too(rest: Rest) -> None:
    csv = rest(
        "POST", "/things", content="name,note\nc1,NULL\nc2,hey\n", Content_Type="text/csv", **REPRESENTATION
    )
    assert [(row["name"], row["note"]) for row in csv.json()] == [("c1", None), ("c2", "hey")]
    form = rest(
        "POST",
        "/things",
        content="name=f&amount=3",
        Content_Type="application/x-www-form-urlencoded",
        **REPRESENTATION,
    )
    assert form.json()[0]["amount"] == 3


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/checked", {"id": 1, "n": 99}, 400, "23514"),
        ("/checked", {"id": 1, "short": "toolong"}, 400, "22001"),
        ("/checked", {"id": 1, "mood": "x"}, 400, "22P02"),
        ("/checked", {"id": 1, "score": -1}, 400, "23514"),
        ("/checked", {"id": 1, "client_id": 99}, 409, "23503"),
        ("/checked", {"n": 1}, 400, "23502"),
        ("/checked", {"id": "x"}, 400, "22P02"),
        ("/checked", {"nope": 1}, 400, "PGRST204"),
        ("/always", {"id": 1}, 400, "428C9"),
        ("/always", {"doubled": 1}, 400, "428C9"),
        ("/deferred", {"id": 1, "other": 99}, 409, "23503"),
        ("/totals", {"projects": 1}, 400, "55000"),
        ("/nope", {"id": 1}, 404, "PGRST205"),
        ("/locked", {"id": 5}, 401, "42501"),
        ("/notes", {"body": "x"}, 401, "42501"),
    ],
)
def test_an_error_of_the_database_is_passed_on(
    rest: Rest, path: str, body: object, status: int, code: str
) -> None:
    response = rest.post(path, body)
    expected = 500 if code == "55000" else status
    assert (response.status_code, response.json()["code"]) == (expected, code)


def test_a_duplicate_is_a_conflict(rest: Rest) -> None:
    rest.post("/things", {"name": "one"})
    response = rest.post("/things", {"name": "one"})
    assert response.status_code == 409
    assert response.json() == {
        "code": "23505",
        "details": "Key (name)=(one) already exists.",
        "hint": None,
        "message": 'duplicate key value violates unique constraint "things_name_key"',
    }


def test_an_unknown_column_is_named(rest: Rest) -> None:
    assert rest.post("/things", {"nope": 1}).json() == {
        "code": "PGRST204",
        "details": None,
        "hint": None,
        "message": "Could not find the 'nope' column of 'things' in the schema cache",
    }


def test_an_upsert_reports_whether_it_inserted(rest: Rest) -> None:
    merge = {"Prefer": "return=representation,resolution=merge-duplicates"}
    first = rest.post("/pairs", {"a": 1, "b": 1, "value": "x"}, **merge)
    assert first.status_code == 201
    assert first.headers["preference-applied"] == "resolution=merge-duplicates, return=representation"
    again = rest.post("/pairs", {"a": 1, "b": 1, "value": "y"}, **merge)
    assert (again.status_code, again.json()[0]["value"]) == (200, "y")
    both = rest.post("/pairs", [{"a": 1, "b": 1, "value": "z"}, {"a": 2, "b": 1, "value": "n"}], **merge)
    assert (both.status_code, len(both.json())) == (201, 2)


def test_merging_on_a_unique_column(rest: Rest) -> None:
    rest.post("/things", {"name": "one", "note": "old"})
    response = rest.post(
        "/things?on_conflict=name&select=name,note",
        {"name": "one", "note": "new"},
        Prefer="return=representation,resolution=merge-duplicates",
    )
    assert (response.status_code, response.json()) == (200, [{"name": "one", "note": "new"}])


def test_ignoring_duplicates_keeps_the_existing_rows(rest: Rest) -> None:
    rest.post("/things", {"name": "one", "note": "old"})
    response = rest.post(
        "/things?on_conflict=name&select=name,note",
        [{"name": "one", "note": "new"}, {"name": "two", "note": "new"}],
        Prefer="return=representation,resolution=ignore-duplicates",
    )
    assert (response.status_code, response.json()) == (201, [{"name": "two", "note": "new"}])
    assert rest.get("/things?select=note&name=eq.one").json() == [{"note": "old"}]


def test_merging_on_columns_that_are_not_unique_is_refused(rest: Rest) -> None:
    response = rest.post("/things?on_conflict=note", {"name": "x"}, Prefer="resolution=merge-duplicates")
    assert (response.status_code, response.json()["code"]) == (400, "42P10")


def test_written_rows_can_embed_others(rest: Rest) -> None:
    response = rest.post("/checked?select=id,clients(name)", {"id": 1, "client_id": 2}, **REPRESENTATION)
    assert response.json() == [{"id": 1, "clients": {"name": "Apple"}}]
    changed = rest("PATCH", "/checked?id=eq.1&select=clients(name)", json={"client_id": 1}, **REPRESENTATION)
    assert changed.json() == [{"clients": {"name": "Microsoft"}}]


@pytest.fixture
def three(rest: Rest) -> None:
    """Insert three rows."""
    rest.post("/things", [{"name": name} for name in ("a1", "a2", "b1")])


@pytest.mark.usefixtures("three")
def test_an_update_changes_the_filtered_rows(rest: Rest) -> None:
    silent = rest("PATCH", "/things?name=eq.a1", json={"note": "x"})
    assert (silent.status_code, silent.content, silent.headers["content-range"]) == (204, b"", "0-0/*")
    shown = rest(
        "PATCH",
        "/things?name=like.a*&select=name,note",
        json={"note": "y"},
        Prefer="return=representation,count=exact",
    )
    assert (shown.status_code, shown.headers["content-range"]) == (200, "0-1/2")
    assert sorted(row["name"] for row in shown.json()) == ["a1", "a2"]
    none = rest("PATCH", "/things?name=eq.zzz", json={"note": "x"}, **REPRESENTATION)
    assert (none.status_code, none.json(), none.headers["content-range"]) == (200, [], "*/*")


@pytest.mark.usefixtures("three")
def test_an_update_takes_only_the_named_columns(rest: Rest) -> None:
    response = rest(
        "PATCH",
        "/things?name=eq.a1&columns=note&select=note,amount",
        json={"note": "n", "amount": 0},
        **REPRESENTATION,
    )
    assert response.json() == [{"note": "n", "amount": 7}]


@pytest.mark.usefixtures("three")
def test_an_update_of_nothing_changes_nothing(rest: Rest) -> None:
    assert rest("PATCH", "/things?name=eq.a1", json={}).status_code == 204
    assert rest("PATCH", "/things", json={}, **REPRESENTATION).json() == []


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("method", "word"), [("PATCH", "UPDATE"), ("DELETE", "DELETE")])
def test_a_write_to_every_row_needs_a_filter(rest: Rest, method: str, word: str) -> None:
    response = rest(method, "/things", json={"note": "x"})
    assert response.status_code == 400
    assert response.json() == {
        "code": "21000",
        "details": None,
        "hint": None,
        "message": f"{word} requires a WHERE clause",
    }
    assert _names(rest) == ["a1", "a2", "b1"]


@pytest.mark.usefixtures("three")
def test_a_delete_removes_the_filtered_rows(rest: Rest) -> None:
    shown = rest("DELETE", "/things?name=eq.b1&select=name", **REPRESENTATION)
    assert (shown.status_code, shown.json()) == (200, [{"name": "b1"}])
    silent = rest("DELETE", "/things?or=(name.eq.a1,name.eq.zz)", Prefer="count=exact")
    assert (silent.status_code, silent.content, silent.headers["content-range"]) == (204, b"", "*/1")
    assert _names(rest) == ["a2"]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_max_affected_rolls_back_a_larger_write(rest: Rest, method: str) -> None:
    response = rest(
        method, "/things?name=like.a*", json={"name": None}, Prefer="handling=strict,max-affected=1"
    )
    assert response.status_code == 400
    assert response.json()["code"] == "PGRST124"
    assert response.json()["details"] == "The query affects 2 rows"
    assert _names(rest) == ["a1", "a2", "b1"]
    within = rest(method, "/things?name=eq.b1", json={"name": "b2"}, Prefer="handling=strict,max-affected=1")
    assert within.headers["preference-applied"] == "handling=strict, max-affected=1"


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_write_that_does_not_give_the_one_requested_object_is_rolled_back(rest: Rest, method: str) -> None:
    response = rest(
        method,
        "/things?name=like.a*",
        json={"name": "x"},
        Accept="application/vnd.pgrst.object+json",
        **REPRESENTATION,
    )
    assert (response.status_code, response.json()["code"]) in {(406, "PGRST116"), (409, "23505")}
    assert _names(rest) == ["a1", "a2", "b1"]


def test_a_put_inserts_then_updates(rest: Rest) -> None:
    path = "/pairs?a=eq.5&b=eq.5"
    assert rest("PUT", path, json={"a": 5, "b": 5, "value": "v"}, **REPRESENTATION).status_code == 201
    response = rest("PUT", path, json={"a": 5, "b": 5, "value": "w"}, **REPRESENTATION)
    assert (response.status_code, response.json()) == (200, [{"a": 5, "b": 5, "value": "w"}])
    assert rest("PUT", path, json={"a": 5, "b": 5, "value": "x"}).status_code == 204


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("a=eq.5", 405, "PGRST105"),
        ("a=eq.5&b=gt.5", 405, "PGRST105"),
        ("a=eq.5&b=eq.5&value=eq.x", 405, "PGRST105"),
        ("a=eq.5&b=eq.5&or=(a.eq.1,b.eq.2)", 405, "PGRST105"),
        ("", 405, "PGRST105"),
        ("a=eq.5&b=eq.6", 400, "PGRST115"),
        ("a=eq.5&b=eq.5&limit=1", 400, "PGRST114"),
    ],
)
def test_a_put_must_name_its_row(rest: Rest, query: str, status: int, code: str) -> None:
    response = rest("PUT", f"/pairs?{query}", json={"a": 5, "b": 5, "value": "w"})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert rest.get("/pairs").json() == []


def test_a_put_to_a_table_without_a_key_is_refused(rest: Rest) -> None:
    assert rest("PUT", "/keyless?name=eq.x", json={"name": "x", "value": 1}).json()["code"] == "PGRST105"


def test_a_view_takes_writes(rest: Rest) -> None:
    rest.post("/projects_view", {"id": 50, "title": "through a view"})
    try:
        assert rest.get("/projects?id=eq.50").json()[0]["name"] == "through a view"
        changed = rest(
            "PATCH", "/projects_view?id=eq.50&select=title", json={"title": "changed"}, **REPRESENTATION
        )
        assert changed.json() == [{"title": "changed"}]
    finally:
        assert rest("DELETE", "/projects_view?id=eq.50").status_code == 204


def test_identity_and_generated_columns_get_their_values(rest: Rest) -> None:
    rows = rest.post(
        "/always?select=n,doubled", [{"n": 3}, {"n": 4}], Prefer="return=representation,missing=default"
    )
    assert rows.json() == [{"n": 3, "doubled": 6}, {"n": 4, "doubled": 8}]


def test_numbers_keep_their_digits(rest: Rest) -> None:
    rest.sql("create table public.exact (n numeric)")
    try:
        sent = "123456789012345678901234567890.123456789"
        response = rest(
            "POST", "/exact", content=f'[{{"n": {sent}}}]', Content_Type="application/json", **REPRESENTATION
        )
        assert sent in response.text
    finally:
        rest.sql("drop table public.exact")
