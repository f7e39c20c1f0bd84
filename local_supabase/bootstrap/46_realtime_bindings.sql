-- The check of new subscriptions. Runs as the superuser. Running it again is harmless.

-- Checks all bindings of one join, so that many of them take one query. `bindings` is an array of
-- {schema, "table", clauses: [[column, operator, value]], "select": [column] or null}; * stands for every name. Returns
-- a row for each binding and table, with the types and canonical values of its clauses. The first binding that is
-- refused is the last row: it has a `problem` or no table.
create or replace function _realtime.check_bindings(publication text, role_name text, bindings json)
returns table (
  number int, entity oid, type_oids oid[], type_names text[], canonicals json, problem_state text, problem text
)
language plpgsql
as $$
declare
  binding json;
  clause json;
  checked record;
  listed json[];
  missing text;
  published_oids oid[];
  published_schemas text[];
  published_tables text[];
begin
  select array_agg(c.oid), array_agg(p.schemaname::text), array_agg(p.tablename::text)
  into published_oids, published_schemas, published_tables
  from pg_publication_tables p
  join pg_namespace n on n.nspname = p.schemaname
  join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
  where p.pubname = publication;
  for number, binding in select b.ordinality, b.value from json_array_elements(bindings) with ordinality as b loop
    problem := null;
    entity := null;
    begin
      perform quote_ident(role_name)::regrole;
      for entity in
        select p.oid
        from unnest(published_oids, published_schemas, published_tables) as p(oid, schema_name, table_name)
        where binding ->> 'schema' in ('*', p.schema_name) and binding ->> 'table' in ('*', p.table_name)
      loop
        type_oids := '{}';
        type_names := '{}';
        listed := '{}';
        for clause in select * from json_array_elements(binding -> 'clauses') loop
          select f.type_oid, t.typname::text as type_name, to_json(f.canonical) as canonical into checked
          from _realtime.check_filter(entity, role_name, clause ->> 0, clause ->> 1, clause ->> 2) as f
          join pg_type t on t.oid = f.type_oid;
          type_oids := type_oids || checked.type_oid;
          type_names := type_names || checked.type_name;
          listed := listed || checked.canonical;
        end loop;
        canonicals := to_json(listed);
        if json_typeof(binding -> 'select') = 'array' then
          select wanted into missing
          from json_array_elements_text(binding -> 'select') with ordinality as s(wanted, position)
          where not exists (
            select from pg_attribute a
            where a.attrelid = entity and a.attname = wanted and a.attnum > 0 and not a.attisdropped
              and has_column_privilege(role_name, a.attrelid, a.attnum, 'SELECT')
          )
          order by position
          limit 1;
          if found then
            raise exception 'invalid column for select %', missing;
          end if;
        end if;
        return next;
      end loop;
    exception when others then
      problem_state := sqlstate;
      problem := sqlerrm;
      return next;
      return;
    end;
    if entity is null then
      return next;
      return;
    end if;
  end loop;
end
$$;

revoke all on function _realtime.check_bindings(text, text, json) from public;
