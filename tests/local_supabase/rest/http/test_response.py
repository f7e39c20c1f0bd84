import pytest

from local_supabase.rest.catalog.model import Table
from local_supabase.rest.errors import RestError, bad_path
from local_supabase.rest.http.response import Result, error_response, make_response, respond
from local_supabase.rest.names import Name
from local_supabase.rest.query.media import Format
from local_supabase.rest.query.preferences import Count, Preferences, Resolution, Return
from local_supabase.rest.query.query_string import parse_query
from local_supabase.rest.query.ranges import Window
from local_supabase.rest.query.request import Action, ApiRequest, Resource, Target
from local_supabase.rest.sql.plan import Plan

_NAME = Name("public", "my things")


def _request(action: Action, preferences: Preferences = Preferences(), query: str = "") -> ApiRequest:  # noqa: B008
    target = Target(Resource.RELATION, action, _NAME, "GET")
    return ApiRequest(target, parse_query(query), Window(), preferences, None, "")


_PLAN = Plan("", (), read_only=True, form=Format.JSON, table=Table(_NAME, {}, ("id",)))


def test_a_read_has_its_rows_range_and_canonical_location() -> None:
    request = _request(Action.READ, query="id=gt.1&a=eq.2")
    response = make_response(request, _PLAN, Result(None, 2, "[1,2]"), "public")
    assert (response.status_code, response.body) == (200, b"[1,2]")
    assert response.headers["content-range"] == "0-1/*"
    assert response.headers["content-location"] == "/my%20things?a=eq.2&id=gt.1"
    assert response.headers["content-profile"] == "public"


def test_an_insert_has_the_location_of_its_row() -> None:
    preferences = Preferences(returns=Return.HEADERS_ONLY)
    response = make_response(
        _request(Action.INSERT, preferences), _PLAN, Result(None, 1, None, location=["id=eq.1&2"]), None
    )
    assert (response.status_code, response.body) == (201, b"")
    assert response.headers["location"] == "/my%20things?id=eq.1%262"
    assert "content-profile" not in response.headers


@pytest.mark.parametrize(("inserted", "status"), [(0, 200), (1, 201), (None, 201)])
def test_an_upsert_that_inserts_nothing_is_200(inserted: int | None, status: int) -> None:
    preferences = Preferences(resolution=Resolution.MERGE)
    result = Result(None, 1, None, inserted=inserted)
    assert make_response(_request(Action.INSERT, preferences), _PLAN, result, None).status_code == status


def test_a_write_returns_204_unless_its_rows_are_requested() -> None:
    counted = Preferences(count=Count.EXACT)
    response = make_response(_request(Action.UPDATE, counted), _PLAN, Result(None, 3, None), None)
    assert (response.status_code, response.headers["content-range"]) == (204, "0-2/3")
    assert "content-length" not in response.headers
    whole = Preferences(returns=Return.REPRESENTATION)
    assert make_response(_request(Action.DELETE, whole), _PLAN, Result(None, 1, "[]"), None).body == b"[]"


def test_a_function_may_set_headers_and_the_status() -> None:
    result = Result(None, 0, "[]", headers='[{"content-range": "x"}, {"X-A": "b"}]', status="418")
    response = make_response(_request(Action.READ), _PLAN, result, None)
    assert response.status_code == 418
    assert (response.headers.getlist("content-range"), response.headers["x-a"]) == (["x"], "b")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ("{}", None, "PGRST111"),
        ('[{"a": 1}]', None, "PGRST111"),
        (None, "99", "PGRST112"),
        (None, "x", "PGRST112"),
    ],
)
def test_bad_headers_or_a_bad_status_of_a_function_are_errors(
    headers: str | None, status: str | None, code: str
) -> None:
    with pytest.raises(RestError) as caught:
        make_response(_request(Action.READ), _PLAN, Result(None, 0, "[]", headers, status), None)
    assert caught.value.code == code


def test_a_header_cannot_be_split() -> None:
    response = respond(200, [("X-A", "one\r\nX-B: two")], b"")
    assert response.headers["x-a"] == "one  X-B: two"
    assert "x-b" not in response.headers


def test_an_error_names_its_code_in_proxy_status() -> None:
    response = error_response(bad_path())
    assert (response.status_code, response.headers["proxy-status"]) == (404, "PostgREST; error=PGRST125")
