"""Chooses a function among its overloads and writes the SQL of its call."""

# Names in these strings come from `identifier` and `qualified`, values from `Parameters`.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Sequence

from local_supabase.rest.catalog.model import Catalog, Column, Parameter, Returns, Routine
from local_supabase.rest.errors import RestError, too_many_arguments
from local_supabase.rest.fuzzy import closest
from local_supabase.rest.names import Name
from local_supabase.rest.query.payload import RAW, Arguments, Rows
from local_supabase.rest.sql.statement import (
    Parameters,
    comma,
    identifier,
    qualified,
)
from local_supabase.rest.sql.write import Payload, record_set

_RAW_TYPES = {"text/plain": "text", "text/xml": "xml", "application/octet-stream": "bytea"}
_NAME_SCORE = 0.75
# The most parameters of a Postgres function.
MAX_PARAMETERS = 100


def find_routine(catalog: Catalog, name: Name, keys: Sequence[str], content: str, *, posted: bool) -> Routine:
    """Return the function that accepts exactly these arguments.

    Arguments:
        catalog: the catalog.
        name: the function's name.
        keys: the names of the arguments.
        content: the media type of the body.
        posted: whether the arguments come from a body.

    Raises:
        RestError: PGRST202, no function does; PGRST203, several do.
    """
    overloads = catalog.routines.get(name, ())
    given = set(keys)
    matching = [one for one in overloads if _accepts_arguments(one, given, content, posted=posted)]
    unnamed = [one for one in overloads if one not in matching and posted and _accepts_body(one, content)]
    candidates = matching or unnamed
    if not candidates:
        if len(given) > MAX_PARAMETERS:
            raise too_many_arguments(name.schema, name.name, MAX_PARAMETERS)
        raise _no_routine(catalog, name, sorted(given), content, overloads, posted=posted)
    if len(candidates) > 1:
        raise _ambiguous(candidates)
    return candidates[0]


def _accepts_arguments(routine: Routine, given: set[str], content: str, *, posted: bool) -> bool:
    if not routine.parameters:
        return not given and not (posted and content in RAW)
    required = {p.name for p in routine.parameters if p.required}
    optional = {p.name for p in routine.parameters if not p.required}
    return required <= given <= required | optional


def _accepts_body(routine: Routine, content: str) -> bool:
    if len(routine.parameters) != 1 or routine.parameters[0].name:
        return False
    kind = routine.parameters[0].type.name.name
    return kind in {"json", "jsonb"} if content == "application/json" else kind == _RAW_TYPES.get(content)


def _ambiguous(candidates: Sequence[Routine]) -> RestError:
    shown = ", ".join(_signature(one) for one in candidates)
    return RestError(
        300,
        "PGRST203",
        f"Could not choose the best candidate function between: {shown}",
        hint=(
            "Try renaming the parameters or the function itself in the database "
            "so function overloading can be resolved"
        ),
    )


def _signature(routine: Routine) -> str:
    parameters = ", ".join(f"{parameter.name} => {parameter.type.label}" for parameter in routine.parameters)
    return f"{routine.name.schema}.{routine.name.name}({parameters})"


def _no_routine(
    catalog: Catalog, name: Name, keys: list[str], content: str, overloads: Sequence[Routine], *, posted: bool
) -> RestError:
    function = f"{name.schema}.{name.name}"
    raw = posted and content in RAW
    listed = ", ".join(keys)
    with_keys = f" with parameter{'s' if len(keys) > 1 else ''} {listed}" if keys else " without parameters"
    if raw:
        searched = f" with a single unnamed {_RAW_TYPES[content]} parameter"
    elif posted and content == "application/json":
        searched = f"{with_keys} or with a single unnamed json/jsonb parameter"
    else:
        searched = with_keys
    signature = "" if raw else (f"({listed})" if keys else " without parameters")
    return RestError(
        404,
        "PGRST202",
        f"Could not find the function {function}{signature} in the schema cache",
        details=(
            f"Searched for the function {function}{searched}, but no matches were found in the schema cache."
        ),
        hint=None if raw else _suggestion(catalog, name, keys, overloads),
    )


def _suggestion(catalog: Catalog, name: Name, keys: list[str], overloads: Sequence[Routine]) -> str | None:
    begin = f"Perhaps you meant to call the function {name.schema}."
    if overloads:
        lists = ["(" + ", ".join(sorted(p.name for p in one.parameters)) + ")" for one in overloads]
        found = closest(lists, f"({', '.join(keys)})")
        return f"{begin}{name.name}{found}" if found else None
    names = [known.name for known in catalog.routines if known.schema == name.schema]
    found = closest(names, name.name, at_least=_NAME_SCORE)
    return f"{begin}{found}" if found else None


def call(parameters: Parameters, routine: Routine, arguments: Arguments, returning: list[str]) -> str:
    """Write the query that calls a function.

    Arguments:
        parameters: takes the values.
        routine: the function.
        arguments: its arguments.
        returning: the columns to return of a composite result.
    """
    if len(routine.parameters) == 1 and not routine.parameters[0].name:
        return _select(routine, _body_argument(parameters, routine.parameters[0], arguments), "", returning)
    passed = [p for p in routine.parameters if p.name in set(arguments.keys)]
    if not passed:
        return _select(routine, "", "", returning)
    if arguments.pairs is not None:
        return _select(routine, _named_arguments(parameters, passed, arguments.pairs), "", returning)
    rows = Rows(arguments.json or "{}", arguments.single, arguments.keys)
    payload = Payload(rows, [Column(p.name, p.type) for p in passed])
    source = record_set(parameters, payload, first_row_only=True)
    arguments_sql = comma(
        [f"{_variadic(p)}{identifier(p.name)} := pgrst_body.{identifier(p.name)}" for p in passed]
    )
    return _select(routine, arguments_sql, f"{source}, LATERAL ", returning)


def _variadic(parameter: Parameter) -> str:
    return "VARIADIC " if parameter.variadic else ""


def _body_argument(parameters: Parameters, parameter: Parameter, arguments: Arguments) -> str:
    if arguments.raw is None:
        return parameters.cast(arguments.json or "null", parameter.type.name)
    if parameter.type.name.name == "bytea":
        return parameters.binary(arguments.raw)
    return parameters.cast(arguments.raw.decode("utf-8", "replace"), parameter.type.name)


def _named_arguments(
    parameters: Parameters, passed: list[Parameter], pairs: Sequence[tuple[str, str]]
) -> str:
    arguments_sql = []
    for parameter in passed:
        values = [value for name, value in pairs if name == parameter.name]
        if parameter.variadic:
            value = f"{parameters.texts(values)}::{qualified(parameter.type.name)}"
        else:
            value = parameters.cast(values[-1], parameter.type.name)
        arguments_sql.append(f"{_variadic(parameter)}{identifier(parameter.name)} := {value}")
    return comma(arguments_sql)


def _select(routine: Routine, arguments_sql: str, source: str, returning: list[str]) -> str:
    invoked = f"{qualified(routine.name)}({arguments_sql})"
    if routine.returns is not Returns.COMPOSITE:
        return f"SELECT pgrst_call.pgrst_scalar FROM {source}(SELECT {invoked} pgrst_scalar) pgrst_call"
    names = comma(["pgrst_call.*" if n == "*" else f"pgrst_call.{identifier(n)}" for n in returning])
    return f"SELECT {names or 'pgrst_call.*'} FROM {source}{invoked} pgrst_call"
