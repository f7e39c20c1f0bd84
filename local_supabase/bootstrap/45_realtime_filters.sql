-- The filters of Realtime. Runs as the superuser. Running it again is harmless.

-- Filters run with the rights of this role, in functions that no code inside them can leave: their operators and types
-- can be a project's own, and their values and patterns are any client's. Of the API roles it has the schemas of types.
do $$
begin
  if not exists (select from pg_roles where rolname = 'supabase_realtime_filters') then
    create role supabase_realtime_filters nologin;
  end if;
end
$$;
grant anon, authenticated to supabase_realtime_filters;
grant usage on schema _realtime to supabase_realtime_filters;

-- Compares two values of one type with the operator of a filter. Null if the comparison is null.
create or replace function _realtime.compare(operator text, type_oid oid, left_value text, right_value text)
returns boolean
language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
  -- Without a length: a value must not be cut before it is compared, and 'character' alone means one character.
  type_name text := format_type(type_oid, -1);
  symbol text := case operator
    when 'eq' then '=' when 'neq' then '<>' when 'lt' then '<' when 'lte' then '<=' when 'gt' then '>'
    when 'gte' then '>=' when 'in' then '= any' when 'like' then 'like' when 'ilike' then 'ilike'
    when 'match' then '~' when 'imatch' then '~*' when 'isdistinct' then 'is distinct from'
  end;
  verdict boolean;
begin
  if symbol is null then
    raise exception 'unsupported equality operator: %', operator;
  end if;
  -- A type has its operators in its own schema. The setting ends with this function.
  perform set_config('search_path', format('pg_catalog, %I', n.nspname), true)
  from pg_type t join pg_namespace n on n.oid = t.typnamespace where t.oid = type_oid;
  execute format(
    'select %L::%s %s (%L%s)',
    left_value, type_name, symbol, right_value,
    -- Postgres itself chooses what a pattern is for a type.
    case when operator in ('like', 'ilike', 'match', 'imatch') then ''
         when operator = 'in' then format('::%s[]', type_name) else '::' || type_name end
  ) into verdict;
  return verdict;
end
$$;

-- Checks one condition of a filter for a role and a table. Returns the column's type (of a domain what it is made of,
-- as in SQL a domain's values are compared), and the value (for `in`, the values) in Postgres' canonical form. Its
-- errors have Supabase Realtime's messages.
create or replace function _realtime.check_filter(
  entity oid, role_name text, column_name text, operator text, filter_value text,
  out type_oid oid, out canonical text[]
)
language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
  type_name text;
  shown_type text;
  base oid;
begin
  select a.atttypid, format_type(a.atttypid, null) into type_oid, shown_type
  from pg_attribute a
  where a.attrelid = entity and a.attname = column_name and a.attnum > 0 and not a.attisdropped
    and has_column_privilege(role_name, a.attrelid, a.attnum, 'SELECT');
  if type_oid is null then
    raise exception 'invalid column for filter %', column_name;
  end if;
  loop
    select t.typbasetype into base from pg_type t where t.oid = type_oid and t.typtype = 'd';
    exit when not found;
    type_oid := base;
  end loop;
  type_name := format_type(type_oid, -1);

  if operator = 'in' then
    execute format('select array(select case when e is not null then format(''%%s'', e) end from unnest(%L::%s[]) as e)',
      filter_value, type_name) into canonical;
    if cardinality(canonical) > 100 then
      raise exception 'too many values for `in` filter. Maximum 100';
    end if;
  elsif operator = 'is' then
    if filter_value not in ('null', 'true', 'false', 'unknown') then
      raise exception 'invalid value for is filter: must be null, true, false, or unknown';
    end if;
    if filter_value <> 'null' and type_oid <> 'boolean'::regtype then
      raise exception 'is % filter requires a boolean column, got %', filter_value, shown_type;
    end if;
    canonical := array[filter_value];
    return;
  elsif operator in ('match', 'imatch') then
    begin
      perform '' ~ filter_value;
    exception when others then
      raise exception 'invalid regular expression for % filter: %', operator, sqlerrm;
    end;
    canonical := array[filter_value];
  elsif operator in ('like', 'ilike') then
    canonical := array[filter_value];
  else
    execute format('select array[format(''%%s'', %L::%s)]', filter_value, type_name) into canonical;
  end if;

  begin
    perform _realtime.compare(operator, type_oid, case when operator = 'in' then null else filter_value end, filter_value);
  exception when others then
    raise exception 'operator % is not supported on column % of type %: %', operator, column_name, shown_type, sqlerrm;
  end;
end
$$;

alter function _realtime.compare(text, oid, text, text) owner to supabase_realtime_filters;
alter function _realtime.check_filter(oid, text, text, text, text) owner to supabase_realtime_filters;
revoke all on function _realtime.compare(text, oid, text, text) from public;
revoke all on function _realtime.check_filter(oid, text, text, text, text) from public;
