from local_supabase.rest.catalog.model import PG, Catalog, Column, Table, Type
from local_supabase.rest.names import Name
from local_supabase.rest.query.payload import Rows
from local_supabase.rest.query.preferences import Resolution
from local_supabase.rest.query.syntax import Compare, Field, Filter
from local_supabase.rest.sql.read import QueryWriter
from local_supabase.rest.sql.statement import Parameters
from local_supabase.rest.sql.tree import Node
from local_supabase.rest.sql.write import (
    Conflict,
    Payload,
    RowFilter,
    WriteTarget,
    delete,
    insert,
    record_set,
    update,
)

_INT = Type(Name(PG, "int4"), Name(PG, "int4"), Name(PG, "_int4"), "integer")
_NAME = Name("public", "things")
_ID, _N = Column("id", _INT), Column("n", _INT, default="7")
_TABLE = Table(_NAME, {"id": _ID, "n": _N}, ("id",))
_CATALOG = Catalog(("public",), {_NAME: _TABLE}, {}, {}, {}, {})
_ROWS = Rows('[{"id":1}]', single=False, keys=("id", "n"))
_PAYLOAD = Payload(_ROWS, [_ID, _N])
_FILTERED = RowFilter(
    Node(_NAME, _TABLE.columns, {}, '"public"."things"'), [Filter(Field("id"), Compare("eq", "1"))]
)


def _target(*returning: str) -> WriteTarget:
    return WriteTarget(_TABLE, list(returning))


def test_an_insert_reads_its_rows_from_one_parameter() -> None:
    writer = QueryWriter(_CATALOG)
    sql = insert(writer, _target(), _PAYLOAD)
    assert sql.startswith(
        'INSERT INTO "public"."things" ("id", "n") SELECT pgrst_body."id", pgrst_body."n" FROM'
    )
    assert sql.endswith("RETURNING 1")
    assert writer.parameters.values == [_ROWS.json]


def test_merging_updates_the_columns_of_the_payload() -> None:
    sql = insert(QueryWriter(_CATALOG), _target("*"), _PAYLOAD, conflict=Conflict(Resolution.MERGE, ("id",)))
    assert 'ON CONFLICT ("id") DO UPDATE SET "id" = EXCLUDED."id", "n" = EXCLUDED."n" WHERE' in sql
    assert sql.endswith('RETURNING "public"."things".*')


def test_ignoring_duplicates_does_nothing_on_a_conflict() -> None:
    sql = insert(QueryWriter(_CATALOG), _target(), _PAYLOAD, conflict=Conflict(Resolution.IGNORE, ("id",)))
    assert sql.endswith('ON CONFLICT ("id") DO NOTHING RETURNING 1')


def test_an_update_sets_columns_where_the_filter_holds() -> None:
    sql = update(QueryWriter(_CATALOG), _target("id"), Payload(_ROWS, [_N]), _FILTERED)
    assert sql.startswith('UPDATE "public"."things" SET "n" = pgrst_body."n" FROM ')
    assert 'WHERE "public"."things"."id" = $2::text::"pg_catalog"."int4"' in sql
    assert sql.endswith('RETURNING "public"."things"."id"')


def test_an_update_without_columns_touches_no_row() -> None:
    sql = update(QueryWriter(_CATALOG), _target("id"), Payload(_ROWS, []), _FILTERED)
    assert sql == 'SELECT "public"."things"."id" FROM "public"."things" WHERE false'


def test_a_delete_removes_where_the_filter_holds() -> None:
    writer = QueryWriter(_CATALOG)
    sql = delete(writer, _target(), _FILTERED)
    assert sql == (
        'DELETE FROM "public"."things" '
        'WHERE "public"."things"."id" = $1::text::"pg_catalog"."int4" RETURNING 1'
    )
    assert writer.parameters.values == ["1"]


def test_missing_keys_take_the_defaults_of_their_columns() -> None:
    sql = record_set(Parameters(), Payload(_ROWS, [_ID, _N], defaults=True))
    assert "jsonb_build_object(E'n', 7) || elem" in sql
    assert "jsonb_to_recordset" in sql
