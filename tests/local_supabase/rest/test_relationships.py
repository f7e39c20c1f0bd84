from local_supabase.rest.catalog import Cardinality, Name, Relationship
from local_supabase.rest.relationships import ViewKey, derive

A, B, JOIN, VIEW = (Name("public", name) for name in ("a", "b", "a_b", "a_view"))


def _foreign_key(table: Name, foreign: Name, column: str) -> Relationship:
    return Relationship(
        table, foreign, Cardinality.MANY_TO_ONE, f"{table.name}_{column}_fkey", ((column, "id"),)
    )


def _ways(found: list[Relationship], start: Name, end: Name) -> set[Cardinality]:
    return {one.cardinality for one in found if one.table == start and one.foreign == end}


def test_a_foreign_key_can_be_followed_both_ways() -> None:
    found = derive([_foreign_key(A, B, "b_id")], [], {})
    assert _ways(found, A, B) == {Cardinality.MANY_TO_ONE}
    assert _ways(found, B, A) == {Cardinality.ONE_TO_MANY}


def test_a_junction_needs_its_columns_in_its_key() -> None:
    keys = [_foreign_key(JOIN, A, "a_id"), _foreign_key(JOIN, B, "b_id")]
    assert _ways(derive(keys, [], {JOIN: ("a_id", "b_id")}), A, B) == {Cardinality.MANY_TO_MANY}
    assert _ways(derive(keys, [], {JOIN: ("a_id", "b_id", "more")}), A, B) == {Cardinality.MANY_TO_MANY}
    assert _ways(derive(keys, [], {JOIN: ("id",)}), A, B) == set()


def test_a_view_inherits_the_keys_it_shows_under_its_own_names() -> None:
    key = ViewKey(VIEW, A, "a_b_id_fkey", False, (("b_id", ("one", "two")),))
    found = derive([_foreign_key(A, B, "b_id")], [key], {})
    assert [one.columns for one in found if one.table == VIEW] == [(("one", "id"),), (("two", "id"),)]
    assert _ways(found, B, VIEW) == {Cardinality.ONE_TO_MANY}
