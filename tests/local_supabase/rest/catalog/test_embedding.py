import pytest

from local_supabase.rest.catalog.embedding import find_relationship
from local_supabase.rest.catalog.model import Cardinality, Catalog, Relationship
from local_supabase.rest.catalog.relationships import derive
from local_supabase.rest.errors import RestError
from local_supabase.rest.names import Name

ORDERS, ADDRESSES, FOLDERS = (Name("public", name) for name in ("orders", "addresses", "folders"))


def _key(table: Name, foreign: Name, column: str) -> Relationship:
    constraint = f"{table.name}_{column}_fkey"
    return Relationship(table, foreign, Cardinality.MANY_TO_ONE, constraint, ((column, "id"),))


def _catalog(*keys: Relationship) -> Catalog:
    found = derive(keys, [], {})
    tables = {one.table for one in found}
    return Catalog(
        schemas=("public",),
        tables={},
        relationships={table: tuple(one for one in found if one.table == table) for table in tables},
        routines={},
        computed={},
        role_settings={},
    )


_TWO_KEYS = _catalog(_key(ORDERS, ADDRESSES, "billing_id"), _key(ORDERS, ADDRESSES, "shipping_id"))
_SELF = _catalog(_key(FOLDERS, FOLDERS, "parent_id"))


@pytest.mark.parametrize(
    ("target", "hint", "column"),
    [
        ("addresses", "billing_id", "billing_id"),
        ("addresses", "orders_shipping_id_fkey", "shipping_id"),
        ("orders_billing_id_fkey", None, "billing_id"),
        ("shipping_id", None, "shipping_id"),
    ],
)
def test_a_target_or_a_hint_chooses_among_two_foreign_keys(
    target: str, hint: str | None, column: str
) -> None:
    found = find_relationship(_TWO_KEYS, ORDERS, target, hint)
    assert (found.foreign, found.columns) == (ADDRESSES, ((column, "id"),))


def test_an_ambiguous_target_lists_the_candidates() -> None:
    with pytest.raises(RestError) as caught:
        find_relationship(_TWO_KEYS, ORDERS, "addresses", None)
    assert caught.value.code == "PGRST201"
    assert "more than one relationship was found for 'orders' and 'addresses'" in caught.value.message
    assert "'addresses!orders_billing_id_fkey', 'addresses!orders_shipping_id_fkey'" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("origin", "target", "hint"),
    [
        (ORDERS, "address", "Perhaps you meant 'addresses' instead of 'address'."),
        (ORDERS, "zzz", None),
        (Name("public", "order"), "addresses", "Perhaps you meant 'orders' instead of 'order'."),
    ],
)
def test_a_missing_relationship_suggests_a_similar_name(origin: Name, target: str, hint: str | None) -> None:
    with pytest.raises(RestError) as caught:
        find_relationship(_TWO_KEYS, origin, target, None)
    assert (caught.value.code, caught.value.hint) == ("PGRST200", hint)


def test_a_table_that_refers_to_itself_has_both_directions() -> None:
    assert find_relationship(_SELF, FOLDERS, "folders", None).cardinality is Cardinality.ONE_TO_MANY
    assert find_relationship(_SELF, FOLDERS, "parent_id", None).cardinality is Cardinality.MANY_TO_ONE
    assert find_relationship(_SELF, FOLDERS, "folders", "parent_id").columns == (("id", "parent_id"),)
