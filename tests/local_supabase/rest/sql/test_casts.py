import pytest

from local_supabase.rest.catalog.model import PG
from local_supabase.rest.errors import RestError
from local_supabase.rest.names import Name
from local_supabase.rest.sql.casts import cast_target

_TYPES = frozenset(
    {Name(PG, "text"), Name("public", "mood"), Name("shop", "mood"), Name("extensions", "vector")}
)


@pytest.mark.parametrize(
    ("cast", "sql"),
    [
        ("INT", "int"),
        ("double  precision", "double precision"),
        ("text", '"pg_catalog"."text"'),
        ("Mood", '"shop"."mood"'),
        ("vector", '"extensions"."vector"'),
    ],
)
def test_a_type_is_found_in_the_search_path(cast: str, sql: str) -> None:
    assert cast_target(cast, "shop", _TYPES) == sql


@pytest.mark.parametrize("cast", ["nothing", "text; drop table x", "public.mood", ""])
def test_an_unknown_type_is_refused(cast: str) -> None:
    with pytest.raises(RestError) as caught:
        cast_target(cast, "shop", _TYPES)
    assert caught.value.code == "42704"
