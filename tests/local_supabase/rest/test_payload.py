import pytest

from local_supabase.rest.errors import RestError
from local_supabase.rest.payload import CSV, FORM, JSON, Rows, parse_arguments, parse_rows


def test_an_object_is_one_row() -> None:
    assert parse_rows(b'{"a": 1, "b": 2}', JSON, None) == Rows(
        '{"a": 1, "b": 2}', single=True, keys=("a", "b")
    )


def test_rows_are_passed_on_as_they_came() -> None:
    body = b'[{"a": 1.10}, {"a": 123456789012345678901234567890}]'
    assert parse_rows(body, JSON, None) == Rows(body.decode(), single=False, keys=("a",))


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"text"'])
def test_what_holds_no_rows_is_no_rows(body: bytes) -> None:
    assert parse_rows(body, JSON, None) == Rows("[]", single=False, keys=())


@pytest.mark.parametrize("body", [b'[{"a": 1}, {"b": 2}]', b'[{"a": 1}, 5]', b"[1, 2]", b"[[]]"])
def test_rows_must_have_the_same_keys(body: bytes) -> None:
    with pytest.raises(RestError, match="All object keys must match"):
        parse_rows(body, JSON, None)


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(RestError, match="Empty or invalid json"):
        parse_rows(body, JSON, None)


def test_named_columns_take_the_place_of_the_keys() -> None:
    assert parse_rows(b' [{"a": 1}, {"b": 2}]', JSON, ("b",)).keys == ("b",)
    assert parse_rows(b' {"a": 1}', JSON, ("b",)).single


def test_csv_becomes_rows_of_text_with_nulls() -> None:
    rows = parse_rows(b'a,b\n1,"x, y"\nNULL,\n', CSV, None)
    assert rows == Rows('[{"a":"1","b":"x, y"},{"a":null,"b":""}]', single=False, keys=("a", "b"))


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"a,b\n1\n", b'a\n"unclosed'])
def test_bad_csv_is_refused(body: bytes) -> None:
    with pytest.raises(RestError, match="PGRST102"):
        parse_rows(body, CSV, None)


def test_a_form_is_one_row() -> None:
    assert parse_rows(b"a=1&b=x+y%21", FORM, None).json == '{"a":"1","b":"x y!"}'


def test_other_types_are_refused() -> None:
    with pytest.raises(RestError, match="Content-Type not acceptable: text/yaml"):
        parse_rows(b"a: 1", "text/yaml", None)


def test_a_call_without_a_body_has_no_arguments() -> None:
    assert parse_arguments(b"", JSON, None).keys == ()


def test_a_call_may_carry_a_raw_value() -> None:
    assert parse_arguments(b"\x00", "application/octet-stream", None).raw == b"\x00"
