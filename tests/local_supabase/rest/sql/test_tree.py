import pytest

from local_supabase.rest.catalog.model import PG, Cardinality, Catalog, Column, Relationship, Table, Type
from local_supabase.rest.catalog.relationships import derive
from local_supabase.rest.errors import RestError
from local_supabase.rest.names import Name
from local_supabase.rest.query.query_string import parse_query
from local_supabase.rest.query.ranges import Window
from local_supabase.rest.sql.tree import EmbedIsNull, Node, build

PROJECTS, CLIENTS = Name("public", "projects"), Name("public", "clients")
_INT = Type(Name(PG, "int4"), Name(PG, "int4"), Name(PG, "_int4"), "integer")
_COLUMNS = {name: Column(name, _INT) for name in ("id", "client_id")}
_KEY = Relationship(
    PROJECTS, CLIENTS, Cardinality.MANY_TO_ONE, "projects_client_id_fkey", (("client_id", "id"),)
)
_FOUND = derive([_KEY], [], {})
_CATALOG = Catalog(
    schemas=("public",),
    tables={name: Table(name, _COLUMNS, ("id",)) for name in (PROJECTS, CLIENTS)},
    relationships={
        table: tuple(one for one in _FOUND if one.table == table) for table in (PROJECTS, CLIENTS)
    },
    routines={},
    computed={},
    role_settings={},
)


def _tree(table: Name, query: str, *, filters: bool = True, max_rows: int | None = None) -> Node:
    root = Node(table, _COLUMNS, {}, "root")
    return build(_CATALOG, root, parse_query(query), filters=filters, ranges=True, max_rows=max_rows)


def test_parameters_belong_to_the_resource_of_their_path() -> None:
    root = _tree(CLIENTS, "select=id,p:projects(id)&id=eq.1&p.id=gt.2&projects.order=id&p.limit=3")
    (child,) = root.children
    assert (len(root.where), len(child.where)) == (1, 1)
    assert (child.name, child.order[0].field.name, child.window) == ("p", "id", Window(0, 3))


def test_a_write_keeps_the_roots_own_filters_for_itself() -> None:
    root = _tree(CLIENTS, "select=projects(id)&id=eq.1&projects.id=eq.2", filters=False)
    assert root.where == []
    assert len(root.children[0].where) == 1


def test_the_row_limit_applies_to_every_resource() -> None:
    root = _tree(CLIENTS, "select=projects(id)&projects.limit=2", max_rows=5)
    assert (root.children[0].window.limit,) == (2,)
    assert _tree(CLIENTS, "select=projects(id)", max_rows=5).children[0].window.limit == 5


@pytest.mark.parametrize(
    ("value", "negated"), [("is.null", False), ("not.is.null", True), ("is.not_null", True)]
)
def test_a_null_filter_on_a_resource_asks_for_its_rows(value: str, negated: bool) -> None:
    root = _tree(PROJECTS, f"select=clients()&clients={value}")
    assert root.where == [EmbedIsNull(root.children[0], negated)]
    assert root.children[0].invisible


@pytest.mark.parametrize(
    ("table", "query", "code"),
    [
        (PROJECTS, "nope.id=eq.1", "PGRST108"),
        (PROJECTS, "order=clients(id)", "PGRST108"),
        (CLIENTS, "select=projects(id)&order=projects(id)", "PGRST118"),
        (CLIENTS, "select=id.sum()", "PGRST123"),
        (CLIENTS, "select=nope(id)", "PGRST200"),
    ],
)
def test_a_query_that_does_not_fit_the_catalog_is_refused(table: Name, query: str, code: str) -> None:
    with pytest.raises(RestError) as caught:
        _tree(table, query)
    assert caught.value.code == code
