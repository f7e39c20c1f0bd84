import pytest

from local_supabase.rest.catalog.model import (
    JSON_TYPE,
    PG,
    TEXT_TYPE,
    Catalog,
    Parameter,
    Returns,
    Routine,
    Type,
)
from local_supabase.rest.errors import RestError
from local_supabase.rest.names import Name
from local_supabase.rest.query.payload import Arguments
from local_supabase.rest.sql.call import call, find_routine
from local_supabase.rest.sql.statement import Parameters

_INT = Type(Name(PG, "int4"), Name(PG, "int4"), Name(PG, "_int4"), "integer")
_ADD = Name("public", "add")
JSON = "application/json"


def _routine(*parameters: Parameter, name: Name = _ADD) -> Routine:
    return Routine(name, parameters, Returns.SCALAR, set_of=False, type=Name(PG, "int4"))


def _catalog(*routines: Routine) -> Catalog:
    return Catalog(("public",), {}, {}, {routines[0].name: routines}, {}, {})


_TWO = _routine(Parameter("a", _INT), Parameter("b", _INT))
_OPTIONAL = _routine(Parameter("a", _INT), Parameter("c", _INT, required=False))
_UNNAMED = _routine(Parameter("", JSON_TYPE))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(("a", "b"), _TWO), (("a",), _OPTIONAL), (("c", "a"), _OPTIONAL), (("x",), _UNNAMED)],
)
def test_the_names_of_the_arguments_choose_the_overload(keys: tuple[str, ...], expected: Routine) -> None:
    found = find_routine(_catalog(_TWO, _OPTIONAL, _UNNAMED), _ADD, keys, JSON, posted=True)
    assert found is expected


def test_an_unnamed_parameter_takes_no_arguments_of_a_get_request() -> None:
    with pytest.raises(RestError) as caught:
        find_routine(_catalog(_TWO, _UNNAMED), _ADD, ("x",), JSON, posted=False)
    assert (caught.value.status, caught.value.code) == (404, "PGRST202")


def test_two_overloads_with_the_same_names_are_ambiguous() -> None:
    other = _routine(Parameter("a", TEXT_TYPE), Parameter("b", _INT))
    with pytest.raises(RestError) as caught:
        find_routine(_catalog(_TWO, other), _ADD, ("a", "b"), JSON, posted=True)
    assert (caught.value.status, caught.value.code) == (300, "PGRST203")


def test_arguments_of_a_query_string_become_parameters() -> None:
    parameters = Parameters()
    arguments = Arguments(("a", "b"), pairs=(("a", "1"), ("b", "2"), ("a", "3")))
    sql = call(parameters, _TWO, arguments, [])
    assert '"public"."add"("a" := $1::text::"pg_catalog"."int4"' in sql
    assert parameters.values == ["3", "2"], "the last value of a name"


def test_a_variadic_parameter_takes_all_values_of_its_name() -> None:
    parameters = Parameters()
    array = Type(Name(PG, "_int4"), Name(PG, "_int4"), None, "integer[]")
    routine = _routine(Parameter("n", array, variadic=True))
    sql = call(parameters, routine, Arguments(("n",), pairs=(("n", "1"), ("n", "2"))), [])
    assert 'VARIADIC "n" := $1::text[]::"pg_catalog"."_int4"' in sql
    assert parameters.values == [("1", "2")]


def test_json_arguments_are_one_parameter() -> None:
    parameters = Parameters()
    sql = call(parameters, _TWO, Arguments(("a", "b"), json='{"a":1,"b":2}'), [])
    assert '"a" := pgrst_body."a", "b" := pgrst_body."b"' in sql
    assert parameters.values == ['{"a":1,"b":2}']
