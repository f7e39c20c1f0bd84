from local_supabase.rest.catalog.model import PG, Catalog, Column, Table, Type
from local_supabase.rest.names import Name
from local_supabase.rest.query.preferences import Preferences
from local_supabase.rest.query.request import (
    Action,
    ApiRequest,
    Resource,
    Target,
)
from local_supabase.rest.sql.plan import Plan
from local_supabase.rest.sql.plan_cache import PlanCache

_INT = Type(Name(PG, "int4"), Name(PG, "int4"), Name(PG, "_int4"), "integer")
_NAME = Name("public", "things")
_TARGET = Target(Resource.RELATION, Action.READ, _NAME, "GET")


def _catalog(*columns: str) -> Catalog:
    table = Table(_NAME, {name: Column(name, _INT) for name in columns}, ("id",))
    return Catalog(("public",), {_NAME: table}, {}, {}, {}, {})


def _read(cache: PlanCache, query: str, catalog: Catalog) -> tuple[ApiRequest, Plan]:
    found = cache.read(_TARGET, query, None, Preferences(), catalog)
    assert found is not None
    return found


def test_requests_with_other_values_share_a_statement_and_keep_their_parameters() -> None:
    cache, catalog = PlanCache(1000), _catalog("id", "n")
    first = _read(cache, "id=eq.1&n=not.gt.x&limit=5", catalog)[1]
    second = _read(cache, "id=eq.2&n=not.gt.%ff&limit=5", catalog)[1]
    assert first.sql is second.sql
    assert first.values == ("1", "x", 5)
    assert second.values == ("2", "\ufffd", 5)


def test_requests_that_need_other_statements_share_none() -> None:
    cache, catalog = PlanCache(1000), _catalog("id")
    queries = [
        "id=eq.1",
        "id=neq.1",
        "id=not.eq.1",
        "id=like.1",
        "id=in.(1)",
        "limit=1",
        "limit=2",
        "select=id",
        "x=eq.1",
    ]
    kept = [_read(cache, query, catalog)[1] for query in queries]
    assert len({(plan.sql, plan.values) for plan in kept}) == len(queries)


def test_each_request_keeps_its_own_canonical_query() -> None:
    cache, catalog = PlanCache(1000), _catalog("id")
    _read(cache, "id=eq.1", catalog)
    assert _read(cache, "id=eq.2", catalog)[0].query.canonical == "id=eq.2"


def test_a_new_catalog_means_new_plans() -> None:
    cache = PlanCache(1000)
    before = _read(cache, "id=eq.1", _catalog("id"))[1]
    after = _read(cache, "id=eq.1", _catalog("other"))[1]
    assert "int4" in before.sql
    assert "int4" not in after.sql


def test_errors_and_placeholders_in_a_query_are_not_cached() -> None:
    cache, catalog = PlanCache(1000), _catalog("id")
    for query in ("select=nope(id)", "id=bad.1", "limit=-1", "id=eq.\ue0000&id=like.\ue0000"):
        assert cache.read(_TARGET, query, None, Preferences(), catalog) is None
