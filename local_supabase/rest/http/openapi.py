"""The OpenAPI description at the root: what of an exposed schema the caller may use."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from local_supabase.context import Context
from local_supabase.database import CallerRequest
from local_supabase.identity import Identity
from local_supabase.rest.catalog.model import Catalog, Column, Routine, Table
from local_supabase.rest.http.response import respond
from local_supabase.rest.names import Name
from local_supabase.rest.query.media import negotiate_root
from local_supabase.rest.query.request import Target

_USABLE = """
select c.relname as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relkind in ('r', 'v', 'm', 'f', 'p')
  and (pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')
       or pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE'))
"""
_CALLABLE = """
select distinct p.proname as name from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname = $1 and pg_catalog.has_function_privilege(p.oid, 'execute')
"""


async def describe(
    context: Context, request: Request, identity: Identity, catalog: Catalog, target: Target
) -> Response:
    """Return an OpenAPI 2.0 document with paths and columns, but without the parameters of every operator.

    Arguments:
        context: the address and the database.
        request: the HTTP request.
        identity: the caller.
        catalog: the catalog.
        target: names the schema.

    Raises:
        RestError: PGRST107, the caller does not accept OpenAPI.
    """
    form = negotiate_root(request.headers.get("accept"))
    schema = target.name.schema
    caller_request = CallerRequest(schema=schema)
    async with context.database.as_caller(identity, caller_request, read_only=True) as connection:
        tables = {row["name"] for row in await connection.fetch(_USABLE, schema)}
        functions = {row["name"] for row in await connection.fetch(_CALLABLE, schema)}
    document = _document(context, catalog, schema, tables, functions)
    headers = [("Content-Type", form.content_type)]
    if len(catalog.schemas) > 1:
        headers.append(("Content-Profile", schema))
    return respond(200, headers, b"" if target.headers_only else orjson.dumps(document))


def _document(
    context: Context, catalog: Catalog, schema: str, tables: set[str], functions: set[str]
) -> dict[str, object]:
    usable = [
        table
        for name, table in sorted(catalog.tables.items())
        if name.schema == schema and name.name in tables
    ]
    callable_routines = [
        overloads
        for name, overloads in sorted(catalog.routines.items(), key=_by_name)
        if name.schema == schema and name.name in functions
    ]
    paths: dict[str, object] = {"/": {"get": {"summary": "OpenAPI description (this document)"}}}
    paths.update({f"/{table.name.name}": _table_path(table) for table in usable})
    paths.update(
        {f"/rpc/{overloads[0].name.name}": _routine_path(overloads[0]) for overloads in callable_routines}
    )
    return {
        "swagger": "2.0",
        "info": {
            "title": f"{schema} schema",
            "description": catalog.schema_descriptions.get(schema, ""),
            "version": "14",
        },
        "host": f"{context.settings.host}:{context.settings.port}",
        "basePath": "/rest/v1/",
        "schemes": ["http"],
        "consumes": ["application/json", "application/vnd.pgrst.object+json", "text/csv"],
        "produces": ["application/json", "application/vnd.pgrst.object+json", "text/csv"],
        "paths": paths,
        "definitions": {table.name.name: _definition(table) for table in usable},
    }


def _by_name(item: tuple[Name, tuple[Routine, ...]]) -> Name:
    return item[0]


def _table_path(table: Table) -> dict[str, object]:
    found = {"200": {"description": "OK"}}
    path: dict[str, object] = {"get": {"tags": [table.name.name], "responses": found}}
    if table.insertable:
        path["post"] = {"tags": [table.name.name], "responses": {"201": {"description": "Created"}}}
    if table.updatable:
        path["patch"] = {"tags": [table.name.name], "responses": {"204": {"description": "No Content"}}}
    if table.deletable:
        path["delete"] = {"tags": [table.name.name], "responses": {"204": {"description": "No Content"}}}
    return path


def _routine_path(routine: Routine) -> dict[str, object]:
    properties = {p.name: {"format": p.type.label} for p in routine.parameters if p.name}
    required = [p.name for p in routine.parameters if p.required and p.name]
    schema: dict[str, object] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return {
        "post": {
            "tags": [f"(rpc) {routine.name.name}"],
            "parameters": [{"name": "args", "in": "body", "required": True, "schema": schema}],
            "responses": {"200": {"description": "OK"}},
        }
    }


def _definition(table: Table) -> dict[str, object]:
    definition: dict[str, object] = {
        "type": "object",
        "properties": {name: _property(column) for name, column in table.columns.items()},
    }
    required = [name for name, column in table.columns.items() if not column.nullable]
    if required:
        definition["required"] = required
    if table.description:
        definition["description"] = table.description
    return definition


_JSON_TYPES = {
    "boolean": "boolean",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "number",
    "real": "number",
    "double precision": "number",
}


def _property(column: Column) -> dict[str, object]:
    described: dict[str, object] = {"format": column.type.label}
    if column.type.label.endswith("[]"):
        described["type"] = "array"
        described["items"] = {"type": _JSON_TYPES.get(column.type.label[:-2], "string")}
    elif not column.type.is_json:
        described["type"] = _JSON_TYPES.get(column.type.label, "string")
    if column.values:
        described["enum"] = list(column.values)
    if column.max_length is not None:
        described["maxLength"] = column.max_length
    if column.default is not None:
        described["default"] = column.default
    if column.description:
        described["description"] = column.description
    return described
