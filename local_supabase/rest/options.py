"""OPTIONS: what can be done with a resource."""

from __future__ import annotations

from starlette.responses import Response

from local_supabase.rest.catalog import Catalog, Table, Volatility
from local_supabase.rest.plan import find_table
from local_supabase.rest.request import Resource, Target
from local_supabase.rest.response import respond


def describe_options(target: Target, catalog: Catalog) -> Response:
    """Answer with the methods a resource allows.

    Raises:
        RestError: PGRST205.
    """
    match target.resource:
        case Resource.ROOT:
            allowed = "OPTIONS,GET,HEAD"
        case Resource.RELATION:
            allowed = _of_table(find_table(catalog, target.name))
        case Resource.ROUTINE:
            overloads = catalog.routines.get(target.name, ())
            volatile = any(one.volatility is Volatility.VOLATILE for one in overloads)
            allowed = "OPTIONS,POST" if volatile else "OPTIONS,GET,HEAD,POST"
    return respond(200, [("Allow", allowed)], b"")


def _of_table(table: Table) -> str:
    methods = ["OPTIONS,GET,HEAD"]
    if table.insertable:
        methods.append("POST")
    if table.insertable and table.updatable and table.key:
        methods.append("PUT")
    if table.updatable:
        methods.append("PATCH")
    if table.deletable:
        methods.append("DELETE")
    return ",".join(methods)
