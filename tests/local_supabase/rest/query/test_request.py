import pytest
from starlette.datastructures import Headers

from local_supabase.rest.errors import RestError
from local_supabase.rest.names import Name
from local_supabase.rest.query.payload import Arguments
from local_supabase.rest.query.preferences import Preferences
from local_supabase.rest.query.ranges import Window
from local_supabase.rest.query.request import Action, ApiRequest, Resource, find_target, read_request

SCHEMAS = ("public", "shop")


def _request(method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> ApiRequest:
    given = Headers(headers)
    target = find_target(path, method, given, SCHEMAS)
    return read_request(target, query, given, body, Preferences())


@pytest.mark.parametrize(
    ("method", "path", "resource", "action", "name"),
    [
        ("GET", "/", Resource.ROOT, Action.DESCRIBE, ""),
        ("GET", "/things", Resource.RELATION, Action.READ, "things"),
        ("PUT", "/things", Resource.RELATION, Action.UPSERT, "things"),
        ("POST", "/rpc/add", Resource.ROUTINE, Action.CALL, "add"),
        ("HEAD", "/rpc/add", Resource.ROUTINE, Action.CALL_READ, "add"),
    ],
)
def test_a_path_and_a_method_name_a_target(
    method: str, path: str, resource: Resource, action: Action, name: str
) -> None:
    target = find_target(path, method, Headers(), SCHEMAS)
    assert (target.resource, target.action, target.name) == (resource, action, Name("public", name))


@pytest.mark.parametrize(
    ("method", "path", "header", "code"),
    [
        ("GET", "/a/b/c", {}, "PGRST125"),
        ("GET", "/things", {"accept-profile": "hidden"}, "PGRST106"),
        ("PATCH", "/rpc/add", {}, "PGRST101"),
        ("TRACE", "/things", {}, "PGRST117"),
    ],
)
def test_a_bad_target_is_refused(method: str, path: str, header: dict[str, str], code: str) -> None:
    with pytest.raises(RestError) as caught:
        find_target(path, method, Headers(header), SCHEMAS)
    assert caught.value.code == code


@pytest.mark.parametrize(("method", "header"), [("GET", "accept-profile"), ("POST", "content-profile")])
def test_a_profile_header_chooses_the_schema(method: str, header: str) -> None:
    assert find_target("/things", method, Headers({header: "shop"}), SCHEMAS).name.schema == "shop"


def test_a_range_header_applies_only_to_get_requests() -> None:
    assert _request("GET", "/things", range="2-4").window == Window(2, 3)
    assert _request("HEAD", "/things", range="2-4").window == Window()


def test_a_put_takes_no_limit() -> None:
    with pytest.raises(RestError, match="PGRST114"):
        _request("PUT", "/things", "limit=1", b"{}")


def test_a_get_call_takes_its_arguments_from_the_query_string() -> None:
    assert _request("GET", "/rpc/add", "a=1&b=2&a=3").arguments == Arguments(
        ("a", "b"), pairs=(("a", "1"), ("b", "2"), ("a", "3"))
    )


def test_a_write_takes_its_rows_from_the_body() -> None:
    request = _request("POST", "/things", "columns=a", b'[{"a": 1, "b": 2}]')
    assert request.rows is not None
    assert request.rows.keys == ("a",)
    assert request.arguments is None
