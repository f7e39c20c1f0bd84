"""Postgres' text forms as JSON. That every type matches `to_jsonb` is shown end to end."""

import orjson
import pytest

from local_supabase.realtime.values import (
    ArrayItem,
    Encoders,
    TypeInfo,
    TypeKind,
    parse_array,
    parse_composite,
)

BASE = [
    "int4",
    "int8",
    "float8",
    "numeric",
    "bool",
    "text",
    "jsonb",
    "bytea",
    "timestamp",
    "timestamptz",
    "date",
]
TYPES = {oid: TypeInfo(oid, name, TypeKind.BASE) for oid, name in enumerate(BASE, start=1)}
OF = {info.name: oid for oid, info in TYPES.items()}
TYPES[50] = TypeInfo(50, "_int4", TypeKind.BASE, element=OF["int4"])
TYPES[51] = TypeInfo(51, "percent", TypeKind.DOMAIN, base=OF["numeric"])
TYPES[52] = TypeInfo(52, "pair", TypeKind.COMPOSITE, attributes=(("a", OF["int4"]), ("b", OF["text"])))
TYPES[53] = TypeInfo(53, "_pair", TypeKind.BASE, element=52)
OF |= {"_int4": 50, "percent": 51, "pair": 52, "_pair": 53, "unknown": 99}


@pytest.mark.parametrize(
    ("type_name", "text", "written"),
    [
        ("int4", "-7", b"-7"),
        ("int8", "9007199254740993", b"9007199254740993"),
        ("numeric", "1.10", b"1.10"),
        ("numeric", "NaN", b'"NaN"'),
        ("float8", "1e+20", b"1e+20"),
        ("float8", "-Infinity", b'"-Infinity"'),
        ("bool", "t", b"true"),
        ("bool", "f", b"false"),
        ("text", 'a"\n', b'"a\\"\\n"'),
        ("jsonb", '{"a": 1.0}', b'{"a": 1.0}'),
        ("bytea", "\\x00ff", b'"\\\\x00ff"'),
        ("timestamp", "2026-01-02 03:04:05.6", b'"2026-01-02T03:04:05.6"'),
        ("timestamptz", "2026-01-02 03:04:05+00", b'"2026-01-02T03:04:05+00:00"'),
        ("timestamptz", "0044-03-15 00:00:00+00 BC", b'"0044-03-15T00:00:00+00:00 BC"'),
        ("timestamp", "infinity", b'"infinity"'),
        ("date", "2026-01-02", b'"2026-01-02"'),
        ("_int4", "{1,NULL,{2}}", b"[1,null,[2]]"),
        ("percent", "12.50", b"12.50"),
        ("pair", '(1,"x, y")', b'{"a":1,"b":"x, y"}'),
        ("pair", "(,)", b'{"a":null,"b":null}'),
        ("_pair", '{"(1,a)",NULL}', b'[{"a":1,"b":"a"},null]'),
        ("unknown", "as it is", b'"as it is"'),
    ],
)
def test_a_value_is_written_as_json(type_name: str, text: str, written: bytes) -> None:
    assert orjson.dumps(Encoders(TYPES).of(OF[type_name])(text)) == written


def test_only_a_column_of_bytes_itself_is_written_without_a_prefix() -> None:
    types = TYPES | {60: TypeInfo(60, "_bytea", TypeKind.BASE, element=OF["bytea"])}
    types |= {61: TypeInfo(61, "digest", TypeKind.DOMAIN, base=OF["bytea"])}
    encoders = Encoders(types)
    assert encoders.of_column(OF["bytea"])("\\x00ff") == "00ff"
    assert encoders.of_column(60)('{"\\\\x00ff"}') == ["\\x00ff"]
    assert encoders.of_column(61)("\\x00ff") == "\\x00ff"
    assert encoders.of_column(OF["int4"]) is encoders.of(OF["int4"])


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("{}", []),
        ("{a,b}", ["a", "b"]),
        ('{"a,b","c\\"d","",NULL,"NULL"}', ["a,b", 'c"d', "", None, "NULL"]),
        ("{{1,2},{3,4}}", [["1", "2"], ["3", "4"]]),
        ("[0:1]={a,b}", ["a", "b"]),
    ],
)
def test_array_literals(text: str, items: list[ArrayItem]) -> None:
    assert parse_array(text) == items


def test_boxes_are_separated_by_semicolons() -> None:
    assert parse_array("{(1,1),(0,0);(2,2),(0,0)}", ";") == ["(1,1),(0,0)", "(2,2),(0,0)"]


@pytest.mark.parametrize("text", ["", "a", "{a", '{"a}', "[0:1]"])
def test_what_is_not_an_array_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_array(text)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("(1,a)", ["1", "a"]),
        ('("a ""b""","c\\\\d",)', ['a "b"', "c\\d", None]),
        ('("")', [""]),
        ("()", [None]),
    ],
)
def test_composite_literals(text: str, fields: list[str | None]) -> None:
    assert parse_composite(text) == fields
