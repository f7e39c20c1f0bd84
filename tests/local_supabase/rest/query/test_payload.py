import json

import pytest

from local_supabase.rest.errors import RestError
from local_supabase.rest.query.payload import (
    CSV,
    FORM,
    JSON,
    MAX_ARRAYS,
    MAX_FIELDS,
    MAX_ROWS,
    Rows,
    parse_arguments,
    parse_rows,
)


def test_an_object_is_one_row() -> None:
    assert parse_rows(b'{"a": 1, "b": 2}', JSON, None) == Rows(
        '{"a": 1, "b": 2}', single=True, keys=("a", "b")
    )


def test_the_text_of_rows_is_unchanged() -> None:
    body = b'[{"a": 1.10}, {"a": 123456789012345678901234567890}]'
    assert parse_rows(body, JSON, None) == Rows(body.decode(), single=False, keys=("a",))


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"text"'])
def test_json_without_objects_has_no_rows(body: bytes) -> None:
    assert parse_rows(body, JSON, None) == Rows("[]", single=False, keys=())


@pytest.mark.parametrize("body", [b'[{"a": 1}, {"b": 2}]', b'[{"a": 1}, 5]', b"[1, 2]", b"[[]]"])
def test_rows_must_have_the_same_keys(body: bytes) -> None:
    with pytest.raises(RestError, match="All object keys must match"):
        parse_rows(body, JSON, None)


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b"\xff", b'{"a": NaN}', b"[" * 10_000])
def test_invalid_json_is_refused(body: bytes) -> None:
    with pytest.raises(RestError, match="Empty or invalid json"):
        parse_rows(body, JSON, None)


def test_named_columns_replace_the_keys() -> None:
    assert parse_rows(b' [{"a": 1}, {"b": 2}]', JSON, ("b",)).keys == ("b",)
    assert parse_rows(b' {"a": 1}', JSON, ("b",)).single


def test_csv_becomes_rows_of_text_with_nulls() -> None:
    rows = parse_rows(b'a,b\n1,"x, y"\nNULL,\n', CSV, None)
    assert rows == Rows('[{"a":"1","b":"x, y"},{"a":null,"b":""}]', single=False, keys=("a", "b"))


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"a,b\n1\n", b'a\n"unclosed'])
def test_bad_csv_is_refused(body: bytes) -> None:
    with pytest.raises(RestError, match="PGRST102"):
        parse_rows(body, CSV, None)


def test_a_large_csv_file_keeps_its_rows_in_order() -> None:
    rows = parse_rows(b"a\n" + b"\n".join(b"%d" % number for number in range(10_001)), CSV, None)
    assert json.loads(rows.json) == [{"a": str(number)} for number in range(10_001)]


def test_a_csv_line_of_another_length_is_refused_wherever_it_stands() -> None:
    with pytest.raises(RestError, match="All lines must have same number of fields"):
        parse_rows(b"a,b\n" + b"1,2\n" * 3000 + b"1\n", CSV, None)


@pytest.mark.parametrize(
    ("body", "kind", "columns"),
    [
        pytest.param(b"a\n" + b"1\n" * (MAX_ROWS + 1), CSV, None, id="csv"),
        pytest.param(b"a\r" + b"1\r" * (MAX_ROWS + 1), CSV, None, id="csv-returns"),
        pytest.param(b"[" + b'{"a":1},' * MAX_ROWS + b'{"a":1}]', JSON, None, id="json"),
        pytest.param(b"[" + b'{"a":1},' * MAX_ROWS + b'{"a":1}]', JSON, ("a",), id="json-columns"),
    ],
)
def test_more_rows_than_any_import_has_are_refused(
    body: bytes, kind: str, columns: tuple[str, ...] | None
) -> None:
    with pytest.raises(RestError, match="PGRST102: More than 100000 rows"):
        parse_rows(body, kind, columns)


@pytest.mark.parametrize("columns", [None, ("a",)])
def test_more_arrays_than_can_be_parsed_fast_are_refused(columns: tuple[str, ...] | None) -> None:
    with pytest.raises(RestError, match="PGRST102: More than 1000000 arrays"):
        parse_rows(b"[" + b"[]," * MAX_ARRAYS + b"[]]", JSON, columns)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_as_many_csv_lines_as_are_allowed_are_taken(end: str) -> None:
    body = f"a{end}" + f"1{end}" * MAX_ROWS
    assert parse_rows(body.encode(), CSV, None).json.count("1") == MAX_ROWS


def test_line_breaks_in_a_text_are_no_rows() -> None:
    text = "\n" * (MAX_ROWS + 1)
    assert json.loads(parse_rows(f'a\n"{text}"'.encode(), CSV, None).json) == [{"a": text}]


def test_braces_in_a_text_are_no_rows() -> None:
    body = json.dumps([{"a": "{" * (MAX_ROWS + 1)}]).encode()
    assert parse_rows(body, JSON, None) == Rows(body.decode(), single=False, keys=("a",))


def test_a_form_is_one_row() -> None:
    assert parse_rows(b"a=1&b=x+y%21", FORM, None).json == '{"a":"1","b":"x y!"}'


def test_other_types_are_refused() -> None:
    with pytest.raises(RestError, match="Content-Type not acceptable: text/yaml"):
        parse_rows(b"a: 1", "text/yaml", None)


def test_a_call_without_a_body_has_no_arguments() -> None:
    assert parse_arguments(b"", JSON, None).keys == ()


def test_a_call_may_have_a_raw_value() -> None:
    assert parse_arguments(b"\x00", "application/octet-stream", None).raw == b"\x00"


LONG = json.dumps("x:, " * 50_000)


@pytest.mark.parametrize(
    ("body", "single", "keys"),
    [
        pytest.param(
            f'{{"a": {LONG}, "b\\"": {{"c": [{LONG}]}}, "d" : 1}}', True, ("a", 'b"', "d"), id="object"
        ),
        pytest.param(f' [{{"a": {LONG}}}, {{"a": 5}}]', False, ("a",), id="rows"),
        pytest.param("[" + " " * 100_000 + "]", False, (), id="none"),
    ],
)
def test_a_large_body_is_read_like_a_small_one(body: str, single: bool, keys: tuple[str, ...]) -> None:
    rows = parse_rows(body.encode(), JSON, None)
    assert (rows.single, rows.keys) == (single, keys)
    assert rows.json == body if keys else rows.json == "[]"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(f'[{{"a": {LONG}}}, {{"b": 1}}]', "All object keys must match", id="keys"),
        pytest.param(f'[{{"a": {LONG}}}, 5]', "All object keys must match", id="number"),
        pytest.param(f'[{{"a": {LONG}}}', "Empty or invalid json", id="unclosed"),
        pytest.param(f'{{"a": {LONG}, "b": {"[" * 2000}', "Empty or invalid json", id="deep"),
    ],
)
def test_a_large_body_is_refused_like_a_small_one(body: str, message: str) -> None:
    with pytest.raises(RestError, match=message):
        parse_rows(body.encode(), JSON, None)


def _object(fields: int) -> bytes:
    return json.dumps(dict.fromkeys(map(str, range(fields)), "x" * 50)).encode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(_object(MAX_FIELDS + 1), JSON, id="json"),
        pytest.param(b"[%s]" % _object(MAX_FIELDS + 1), JSON, id="rows"),
        pytest.param(b"a=1&" * MAX_FIELDS + b"a=1", FORM, id="form"),
        pytest.param(b"a," * MAX_FIELDS + b"a\n", CSV, id="csv"),
        pytest.param(b"a\n" + b"1," * MAX_FIELDS + b"1\n", CSV, id="csv-line"),
    ],
)
def test_a_row_has_no_more_fields_than_a_table_has_columns(body: bytes, kind: str) -> None:
    with pytest.raises(RestError, match=f"More than {MAX_FIELDS} fields in one row"):
        parse_rows(body, kind, None)


def test_as_many_fields_as_a_table_has_columns_are_a_row() -> None:
    assert len(parse_rows(_object(MAX_FIELDS), JSON, None).keys) == MAX_FIELDS
    assert len(parse_rows(b"a=1&" * (MAX_FIELDS - 1) + b"a=1", FORM, None).keys) == 1
    assert parse_rows(b"a," * (MAX_FIELDS - 1) + b"a\n", CSV, None).keys == ()


def test_commas_within_quotes_of_csv_are_no_fields() -> None:
    text = "," * 3000 + "\n" + "," * 3000
    assert json.loads(parse_rows(f'a,b\n1,"{text}"\n'.encode(), CSV, None).json) == [{"a": "1", "b": text}]


def test_a_function_with_one_parameter_takes_an_object_of_any_keys() -> None:
    body = _object(MAX_FIELDS + 100)
    assert parse_arguments(body, JSON, None).json == body.decode()
