"""Calls of functions with every kind of argument and result."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from local_supabase.stack.datadir import DataDir
from tests.local_supabase.rest.conftest import Rest
from tests.support.wait import wait_for


@pytest.fixture(autouse=True)
def _clean(rest: Rest) -> Iterator[None]:
    """Empty the tables that the tests write to."""
    yield
    rest.sql("truncate public.things, public.keyless")


@pytest.mark.parametrize(
    ("function", "arguments", "result"),
    [
        ("add", {"a": 1, "b": 2}, 3),
        ("greet", {}, "hello world!"),
        ("greet", {"mark": "?"}, "hello world?"),
        ("no_value", {}, None),
        ("one_project", {"wanted": 1}, {"id": 1, "name": "Windows 7", "client_id": 1}),
        ("one_project", {"wanted": 99}, {"id": None, "name": None, "client_id": None}),
        (
            "one_project?select=name,clients(name)",
            {"wanted": 1},
            {"name": "Windows 7", "clients": {"name": "Microsoft"}},
        ),
        ("projects_of?select=id", {"client": 1}, [{"id": 1}, {"id": 2}]),
        ("projects_of?select=id&id=eq.2", {"client": 1}, [{"id": 2}]),
        ("projects_of?select=id&order=id.desc&limit=1", {"client": 1}, [{"id": 2}]),
        (
            "projects_of?select=id,tasks(id)&id=eq.1",
            {"client": 1},
            [{"id": 1, "tasks": [{"id": 1}, {"id": 2}]}],
        ),
        ("projects_of", {"client": 99}, []),
        ("counts?client=eq.Apple", {}, [{"client": "Apple", "projects": 2}]),
        (
            "counts?projects=eq.2&order=client.desc&select=client",
            {},
            [{"client": "Microsoft"}, {"client": "Apple"}],
        ),
        ("numbers", {}, [1, 2, 3, 4, 5]),
        ("numbers?limit=2&offset=1", {}, [2, 3]),
        ("numbers?pgrst_scalar=gt.3", {}, [4, 5]),
        ("split_out", {"whole": 42}, {"tens": 4, "ones": 2}),
        ("one_out", {}, {"answer": 42}),
        ("as_json", {}, {"a": [1, 2]}),
        ("echo_json", {"x": [1, {"y": None}]}, {"x": [1, {"y": None}]}),
        ("takes_array", {"items": [1, 2, 3]}, 3),
        ("takes_json", {"doc": {"a": "z"}}, "z"),
        ("joined", {"parts": ["x", "y"]}, "x-y"),
        ("kinds", {"c": "abc", "v": "def", "m": "happy"}, "abc/def/happy"),
        ("twice", {"n": 1}, "int 1"),
        ("twice", {"t": "a", "extra": "b"}, "two ab"),
    ],
)
def test_a_call_returns_its_result(
    rest: Rest, function: str, arguments: dict[str, object], result: object
) -> None:
    response = rest.post(f"/rpc/{function}", arguments)
    assert response.status_code == 200, response.text
    assert response.json() == result


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("add?a=1&b=2", 3),
        ("greet?name=a%26b&mark=%2B", "hello a&b+"),
        ("takes_array?items={1,2}", 2),
        ("joined?parts=a&parts=b", "a-b"),
        ("kinds?c=abc&v=def&m=sad", "abc/def/sad"),
        ("projects_of?client=1&select=id&id=gt.1", [{"id": 2}]),
        ("setting?name=request.method", "GET"),
    ],
)
def test_a_get_request_takes_arguments_from_the_url(rest: Rest, path: str, result: object) -> None:
    assert rest.get(f"/rpc/{path}").json() == result


def test_a_head_request_returns_only_the_count(rest: Rest) -> None:
    response = rest("HEAD", "/rpc/projects_of?client=1", Prefer="count=exact")
    assert (response.status_code, response.content, response.headers["content-range"]) == (200, b"", "0-1/2")


def test_a_void_function_returns_204(rest: Rest) -> None:
    for body in (b"{}", b""):
        response = rest("POST", "/rpc/nothing", content=body, Content_Type="application/json")
        assert (response.status_code, response.content) == (204, b"")


def test_raw_bodies_go_to_a_single_unnamed_parameter(rest: Rest) -> None:
    text = rest("POST", "/rpc/echo_text", content="a b", Content_Type="text/plain")
    assert text.json() == "a b"
    data = rest("POST", "/rpc/echo_bytes", content=b"\x00\xff", Content_Type="application/octet-stream")
    assert data.json() == "\\x00ff"
    form = rest("POST", "/rpc/add", content="a=2&b=3", Content_Type="application/x-www-form-urlencoded")
    assert form.json() == 5


@pytest.mark.parametrize(
    ("query", "headers", "status", "content_range"),
    [
        ("", {"Prefer": "count=exact"}, 200, "0-1/2"),
        ("?limit=1", {"Prefer": "count=exact"}, 206, "0-0/2"),
        ("?id=eq.2", {"Prefer": "count=exact"}, 200, "0-0/1"),
        ("?offset=9", {"Prefer": "count=exact"}, 416, "*/2"),
    ],
)
def test_rows_of_a_call_are_counted(
    rest: Rest, query: str, headers: dict[str, str], status: int, content_range: str
) -> None:
    response = rest.post(f"/rpc/projects_of{query}", {"client": 1}, **headers)
    assert (response.status_code, response.headers["content-range"]) == (status, content_range)


def test_the_result_can_be_csv_or_one_object(rest: Rest) -> None:
    csv = rest.post("/rpc/projects_of", {"client": 1}, Accept="text/csv")
    assert csv.text == 'id,name,client_id\n1,"Windows 7",1\n2,"Windows 10",1'
    many = rest.post("/rpc/projects_of", {"client": 1}, Accept="application/vnd.pgrst.object+json")
    assert many.json()["code"] == "PGRST116"
    one = rest.post(
        "/rpc/projects_of?id=eq.1&select=id", {"client": 1}, Accept="application/vnd.pgrst.object+json"
    )
    assert one.json() == {"id": 1}


def test_the_value_of_a_media_type_domain_is_returned_unchanged_if_accepted(rest: Rest) -> None:
    html = rest.get("/rpc/page", Accept="text/html")
    assert (html.text, html.headers["content-type"]) == ("<p>hi</p>", "text/html")
    assert rest.get("/rpc/page").json() == "<p>hi</p>"
    image = rest.get("/rpc/pixel", Accept="image/png, */*")
    assert (image.content, image.headers["content-type"]) == (b"\x89PNG\x00", "image/png")
    assert rest.get("/rpc/page", Accept="image/png").status_code == 406
    assert rest("HEAD", "/rpc/page", Accept="text/html").headers["content-type"] == "text/html"


def test_a_missing_function_is_described(rest: Rest) -> None:
    response = rest.post("/rpc/add", {"a": 1})
    assert response.status_code == 404
    assert response.json() == {
        "code": "PGRST202",
        "details": (
            "Searched for the function public.add with parameter a or with a single unnamed json/jsonb "
            "parameter, but no matches were found in the schema cache."
        ),
        "hint": "Perhaps you meant to call the function public.add(a, b)",
        "message": "Could not find the function public.add(a) in the schema cache",
    }
    assert rest.get("/rpc/addd").json() == {
        "code": "PGRST202",
        "details": (
            "Searched for the function public.addd without parameters, "
            "but no matches were found in the schema cache."
        ),
        "hint": "Perhaps you meant to call the function public.add",
        "message": "Could not find the function public.addd without parameters in the schema cache",
    }


def test_ambiguous_overloads_are_refused(rest: Rest) -> None:
    response = rest.post("/rpc/unclear", {"a": 1})
    assert response.status_code == 300
    assert response.json()["code"] == "PGRST203"
    assert response.json()["message"] == (
        "Could not choose the best candidate function between: "
        "public.unclear(a => integer), public.unclear(a => text)"
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("P0001", 400),
        ("P0002", 500),
        ("PT402", 402),
        ("22012", 400),
        ("23505", 409),
        ("40001", 500),
        ("42501", 401),
        ("53300", 503),
        ("57014", 500),
        ("0L000", 403),
        ("28000", 403),
        ("XX000", 500),
    ],
)
def test_the_sqlstate_that_a_function_raises_decides_the_status(rest: Rest, code: str, status: int) -> None:
    response = rest.post("/rpc/fail", {"code": code})
    assert response.status_code == status
    assert response.json() == {
        "code": code,
        "details": "the detail",
        "hint": "the hint",
        "message": "it failed",
    }


def test_a_function_may_set_its_own_response(rest: Rest) -> None:
    own = rest.post("/rpc/own_error", {})
    assert (own.status_code, own.headers["x-powered-by"]) == (402, "Nerds")
    assert own.json() == {"code": "123", "details": "Quota", "hint": "Upgrade", "message": "Payment Required"}
    assert rest.post("/rpc/bad_own_error", {}).json()["code"] == "PGRST121"
    tea = rest.post("/rpc/teapot", {})
    assert (tea.status_code, tea.headers["x-tea"], tea.headers["cache-control"]) == (418, "green", "no-store")
    assert rest.post("/rpc/bad_headers", {}).json()["code"] == "PGRST111"
    assert rest.post("/rpc/bad_status", {}).json()["code"] == "PGRST112"


def test_a_get_call_cannot_write(rest: Rest) -> None:
    response = rest.get("/rpc/make_thing?name=x")
    assert (response.status_code, response.json()["code"]) == (405, "25006")
    assert rest.post("/rpc/make_thing", {"name": "x"}).json()["name"] == "x"


def test_max_affected_rolls_back_a_call(rest: Rest) -> None:
    strict = {"Prefer": "handling=strict,max-affected=1"}
    response = rest.post("/rpc/make_things", {"names": ["a", "b"]}, **strict)
    assert response.json()["code"] == "PGRST124"
    assert rest.sql("select count(*) from public.things") == [(0,)]
    assert rest.post("/rpc/make_thing", {"name": "a"}, **strict).json()["code"] == "PGRST128"


@pytest.mark.parametrize("function", ["trigger_one", "nope", "pg_sleep", "set_config"])
def test_only_functions_of_the_schema_can_be_called(rest: Rest, function: str) -> None:
    assert rest.post(f"/rpc/{function}", {}).json()["code"] == "PGRST202"


def test_privileges_on_functions_hold(rest: Rest) -> None:
    assert (rest.post("/rpc/denied", {}).status_code, rest.get("/rpc/denied").json()["code"]) == (
        401,
        "42501",
    )


def test_functions_can_read_the_request(rest: Rest) -> None:
    def setting(name: str, **headers: str) -> object:
        return rest.get(f"/rpc/setting?name={name}", **headers).json()

    assert setting("request.path") == "/rpc/setting"
    assert '"x-own":"yes"' in str(setting("request.headers", X_Own="yes")).replace(" ", "")
    assert "secret-cookie" not in str(setting("request.headers", Cookie="a=secret-cookie"))
    assert setting("request.cookies", Cookie="a=b") == '{"a":"b"}'
    assert '"role":"anon"' in str(setting("request.jwt.claims")).replace(" ", "")
    assert setting("TimeZone", Prefer="timezone=America/Los_Angeles") == "America/Los_Angeles"
    assert setting("statement_timeout") == "3s"
    assert rest.post("/rpc/who", {}).json() == {"user": "anon", "role": "anon", "uid": None}


def test_no_setting_of_a_request_reaches_the_next(rest: Rest) -> None:
    rest.get("/rpc/setting?name=x", Cookie="a=b", Prefer="timezone=America/Los_Angeles")
    for _ in range(30):
        assert rest.get("/rpc/setting?name=request.cookies").json() in {None, ""}
        assert rest.get("/rpc/setting?name=TimeZone").json() != "America/Los_Angeles"


def test_an_incomplete_request_is_not_executed(rest: Rest) -> None:
    address = urlsplit(rest.stack.url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as half:
        key = f"apikey: {rest.stack.anon_key}"
        half.sendall(f"POST /rest/v1/rpc/leave_a_mark HTTP/1.1\r\nHost: x\r\n{key}\r\n".encode())
        half.sendall(b"Content-Length: 100\r\n\r\n{")
    log = DataDir(rest.stack.data_dir).logs / "gateway.log"
    # The access log has a line without a status once the gateway has given the request up.
    wait_for(lambda: "POST /rest/v1/rpc/leave_a_mark - " in log.read_text(), what="the end of the request")
    assert rest.get("/keyless").json() == []
    assert rest.post("/rpc/leave_a_mark", {}).status_code == 204
    assert rest.get("/keyless").json() == [{"name": "mark", "value": 1}]


def test_a_call_that_exceeds_its_timeout_is_cancelled(rest: Rest) -> None:
    response = rest.post("/rpc/slow", {})
    assert (response.status_code, response.json()["code"]) == (500, "57014")
