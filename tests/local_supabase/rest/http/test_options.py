import pytest

from local_supabase.rest.catalog.model import Catalog, Returns, Routine, Table, Volatility
from local_supabase.rest.errors import RestError
from local_supabase.rest.http.options import describe_options
from local_supabase.rest.names import Name
from local_supabase.rest.query.request import Action, Resource, Target

_NAME = Name("public", "things")


def _allowed(catalog: Catalog, resource: Resource) -> str:
    target = Target(resource, Action.OPTIONS, _NAME, "OPTIONS")
    return describe_options(target, catalog).headers["allow"]


def _catalog(table: Table | None = None, *volatilities: Volatility) -> Catalog:
    routines = tuple(
        Routine(_NAME, (), Returns.VOID, set_of=False, type=_NAME, volatility=one) for one in volatilities
    )
    return Catalog(("public",), {_NAME: table} if table else {}, {}, {_NAME: routines}, {}, {})


@pytest.mark.parametrize(
    ("table", "allowed"),
    [
        (Table(_NAME, {}, ("id",)), "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"),
        (Table(_NAME, {}), "OPTIONS,GET,HEAD,POST,PATCH,DELETE"),
        (Table(_NAME, {}, (), True, False, False, False), "OPTIONS,GET,HEAD"),
    ],
)
def test_a_tables_methods_follow_from_what_it_accepts(table: Table, allowed: str) -> None:
    assert _allowed(_catalog(table), Resource.RELATION) == allowed


def test_a_volatile_function_is_not_called_by_get() -> None:
    assert _allowed(_catalog(None, Volatility.STABLE), Resource.ROUTINE) == "OPTIONS,GET,HEAD,POST"
    assert (
        _allowed(_catalog(None, Volatility.STABLE, Volatility.VOLATILE), Resource.ROUTINE) == "OPTIONS,POST"
    )


def test_the_root_is_read_only() -> None:
    assert _allowed(_catalog(), Resource.ROOT) == "OPTIONS,GET,HEAD"


def test_a_missing_table_is_an_error() -> None:
    with pytest.raises(RestError, match="PGRST205"):
        _allowed(_catalog(), Resource.RELATION)
