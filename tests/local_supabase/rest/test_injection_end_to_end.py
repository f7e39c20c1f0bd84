"""Attempts to inject SQL. The service quotes every name and sends every value as a parameter."""

from urllib.parse import quote

import pytest

from tests.local_supabase.rest.conftest import Rest

_ATTACKS = [
    "'; drop table public.things; --",
    '"; drop table public.things; --',
    "1); drop table public.things; --",
    "1 or 1=1",
    "$1",
    "$$",
    "\\'; select 1; --",
    'a"b',
    "a'b",
    "/* */",
    "x\0y",
    "{}",
    "%s%(a)s",
    "E'\\x27'",
    "');select pg_sleep(10)--",
    "𝕏'\"",
]


@pytest.mark.parametrize("attack", _ATTACKS)
@pytest.mark.parametrize(
    "template",
    [
        "/things?name=eq.{}",
        "/things?name=like.{}",
        "/things?name=in.({})",
        "/things?name=eq(any).{}",
        "/things?or=(name.eq.{},id.eq.1)",
        "/things?select={}",
        '/things?select="{}"',
        "/things?select=id::{}",
        "/things?select=a{}:id",
        '/things?select="{}":id',
        '/samples?select=doc->"{}"',
        "/samples?select=doc->>{}",
        '/samples?"{}"=eq.1',
        "/samples?doc->>{}=eq.1",
        '/things?order="{}"',
        "/things?order={}",
        "/things?limit={}",
        "/things?offset={}",
        "/samples?body=fts({}).x",
        "/samples?body=fts.{}",
        "/rpc/greet?name={}",
        "/rpc/greet?{}=x",
        "/{}",
        "/rpc/{}",
        '/projects?select=id,"{}"(*)',
        "/projects?select=id,clients!{}(*)",
        '/projects?select=id,"{}":clients(*)',
        "/things?columns={}",
        "/things?on_conflict={}",
    ],
)
def test_an_injection_becomes_a_value_a_name_or_an_error(rest: Rest, template: str, attack: str) -> None:
    response = rest.get(template.replace("{}", quote(attack, safe="")))
    assert response.status_code < 500, response.text
    assert rest.sql("select to_regclass('public.things') is not null") == [(True,)]


@pytest.mark.parametrize("attack", _ATTACKS)
def test_an_injection_in_a_body_becomes_a_value_or_an_error(rest: Rest, attack: str) -> None:
    stored = rest.post("/keyless?select=name", {"name": attack, "value": 1}, Prefer="return=representation")
    if "\0" in attack:
        assert (stored.status_code, stored.json()["code"]) == (400, "22P05")
    else:
        assert stored.json() == [{"name": attack}]
        assert (
            rest("DELETE", f"/keyless?name=eq.{quote(attack, safe='')}", Prefer="count=exact").headers[
                "content-range"
            ]
            == "*/1"
        )
    assert rest.post("/keyless", {attack: 1}).json()["code"] == "PGRST204"
    assert rest.post("/rpc/greet", {attack: 1}).json()["code"] == "PGRST202"
    for header in ("Prefer", "Accept", "Accept_Profile", "Range"):
        response = rest.get(
            "/keyless", **{header: attack.encode("ascii", "replace").decode().replace("\0", "")}
        )
        assert response.status_code < 500
