"""OPTIONS: the methods that a resource allows."""

from __future__ import annotations

from starlette.responses import Response

from local_supabase.rest.catalog.model import Catalog, Table, Volatility
from local_supabase.rest.http.response import respond
from local_supabase.rest.query.request import Resource, Target
from local_supabase.rest.sql.plan import find_table


def describe_options(target: Target, catalog: Catalog) -> Response:
    """Return the response with the allowed methods.

    Raises:
        RestError: PGRST205, there is no such table.
    """
    match target.resource:
        case Resource.ROOT:
            allowed = "OPTIONS,GET,HEAD"
        case Resource.RELATION:
            allowed = _table_methods(find_table(catalog, target.name))
        case Resource.ROUTINE:
            overloads = catalog.routines.get(target.name, ())
            volatile = any(one.volatility is Volatility.VOLATILE for one in overloads)
            allowed = "OPTIONS,POST" if volatile else "OPTIONS,GET,HEAD,POST"
    return respond(200, [("Allow", allowed)], b"")


def _table_methods(table: Table) -> str:
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
