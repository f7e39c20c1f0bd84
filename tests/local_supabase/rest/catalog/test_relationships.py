from local_supabase.rest.catalog.model import Cardinality, Relationship
from local_supabase.rest.catalog.relationships import ViewKey, derive
from local_supabase.rest.names import Name

A, B, JOIN, VIEW = (Name("public", name) for name in ("a", "b", "a_b", "a_view"))


def _foreign_key(table: Name, foreign: Name, column: str) -> Relationship:
    return Relationship(
        table, foreign, Cardinality.MANY_TO_ONE, f"{table.name}_{column}_fkey", ((column, "id"),)
    )


def _cardinalities(found: list[Relationship], start: Name, end: Name) -> set[Cardinality]:
    return {one.cardinality for one in found if one.table == start and one.foreign == end}


def test_a_foreign_key_is_a_relationship_in_both_directions() -> None:
    found = derive([_foreign_key(A, B, "b_id")], [], {})
    assert _cardinalities(found, A, B) == {Cardinality.MANY_TO_ONE}
    assert _cardinalities(found, B, A) == {Cardinality.ONE_TO_MANY}


def test_a_junction_needs_its_columns_in_its_key() -> None:
    keys = [_foreign_key(JOIN, A, "a_id"), _foreign_key(JOIN, B, "b_id")]
    assert _cardinalities(derive(keys, [], {JOIN: ("a_id", "b_id")}), A, B) == {Cardinality.MANY_TO_MANY}
    assert _cardinalities(derive(keys, [], {JOIN: ("a_id", "b_id", "more")}), A, B) == {
        Cardinality.MANY_TO_MANY
    }
    assert _cardinalities(derive(keys, [], {JOIN: ("id",)}), A, B) == set()


def test_a_view_inherits_the_keys_it_shows_under_its_own_names() -> None:
    key = ViewKey(VIEW, A, "a_b_id_fkey", False, (("b_id", ("one", "two")),))
    found = derive([_foreign_key(A, B, "b_id")], [key], {})
    assert [one.columns for one in found if one.table == VIEW] == [(("one", "id"),), (("two", "id"),)]
    assert _cardinalities(found, B, VIEW) == {Cardinality.ONE_TO_MANY}
