from local_supabase.rest.names import Name
from local_supabase.rest.sql.statement import Parameters, identifier, qualified


def test_every_name_is_quoted() -> None:
    assert identifier('a"b') == '"a""b"'
    assert identifier("a\0b") == '"a"'
    assert qualified(Name("public", 'x"; drop table y; --')) == '"public"."x""; drop table y; --"'


def test_every_value_is_a_parameter() -> None:
    parameters = Parameters()
    assert parameters.text("' or 1=1") == "$1::text"
    assert parameters.texts(["a", "b"]) == "$2::text[]"
    assert parameters.cast("5", Name("pg_catalog", "int4")) == '$3::text::"pg_catalog"."int4"'
    assert parameters.values == ["' or 1=1", ("a", "b"), "5"]
