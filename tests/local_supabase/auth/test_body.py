import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_supabase.auth.body import Body, parse_body
from local_supabase.auth.errors import AuthError


def test_absent_and_null_fields_are_empty() -> None:
    body = parse_body(b'{"email": null, "flag": null}')
    assert body.text("email") == ""
    assert body.optional_text("password") is None
    assert body.flag("flag", default=True)
    assert body.mapping("data") is None


def test_null_is_an_empty_body() -> None:
    assert parse_body(b"null").text("email") == ""


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"1", b'"x"', b"{'a': 1}", b'{"a": "\\ud800"}', b"\xff\xfe"]
)
def test_a_body_that_is_not_an_object_is_bad_json(raw: bytes) -> None:
    with pytest.raises(AuthError, match="Could not parse request body as JSON") as refused:
        parse_body(raw)
    assert (refused.value.status, refused.value.code) == (400, "bad_json")


@pytest.mark.parametrize("raw", [b'{"data": {"a": ["\\u0000"]}}', b'{"\\u0000": 1}'])
def test_a_nul_that_postgres_cannot_store_is_refused(raw: bytes) -> None:
    with pytest.raises(AuthError, match="NUL"):
        parse_body(raw)


def test_a_field_of_another_type_is_bad_json() -> None:
    body = parse_body(b'{"email": 1, "data": [], "flag": "yes"}')
    with pytest.raises(AuthError, match="cannot unmarshal number"):
        body.text("email")
    with pytest.raises(AuthError, match="cannot unmarshal array"):
        body.mapping("data")
    with pytest.raises(AuthError, match="of type bool"):
        body.flag("flag")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_bad_json(raw: bytes) -> None:
    answer: Body | str
    try:
        answer = parse_body(raw)
    except AuthError as error:
        answer = error.code
    assert isinstance(answer, Body) or answer == "bad_json"
