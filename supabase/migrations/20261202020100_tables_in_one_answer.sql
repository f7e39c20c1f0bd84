-- Whoever opens the app needs the first rows of a dozen tables. One request for each cost more than the rows.

-- Returns {"cursor": text, "rows": {table: [row, ...]}}: the first rows of each table, with the rights of the caller, and the
-- cursor of `changes_since` from which on their changes have to be read. p_tables is
-- [{"table": text, "order": [column, ...], "newest": boolean, "rows": number}, ...], "newest" for the last rows of that order.
create function public.first_rows(p_tables jsonb) returns json
language plpgsql stable security invoker set search_path = ''
as $$
declare
    -- A stable function reads everything with its caller's one snapshot, so no table is newer than the cursor says.
    snapshot constant pg_snapshot := pg_current_snapshot();
    most_tables constant int := 40;
    most_rows constant int := 1000;
    rows_of json[] := '{}';
    names text[] := '{}';
    asked record;
    found json;
begin
    if jsonb_typeof(p_tables) is distinct from 'array' or jsonb_array_length(p_tables) > most_tables then
        raise exception 'p_tables must be a list of at most % tables', most_tables using errcode = '22023';
    end if;
    for asked in
        select each."table" as name, each."rows" as number,
            (
                select string_agg(format('t.%I %s', column_name, case when each."newest" then 'desc' else 'asc' end), ', ')
                from unnest(each."order") as column_name
            ) as sorting
        from jsonb_to_recordset(p_tables) as each("table" text, "order" text[], "newest" boolean, "rows" int)
    loop
        if asked.name is null or asked.number is null or asked.sorting is null or asked.name = any (names) then
            raise exception 'Each table needs a name of its own, an order and a number of rows' using errcode = '22023';
        end if;
        execute format(
            'select coalesce(json_agg(row_to_json(f)), ''[]'') from (select t.* from public.%I as t order by %s limit %s) as f',
            asked.name, asked.sorting, least(greatest(asked.number, 0), most_rows)
        ) into found;
        names := names || asked.name;
        rows_of := rows_of || found;
    end loop;
    return json_build_object(
        'cursor', pg_snapshot_xmin(snapshot)::text,
        'rows', (
            select coalesce(json_object_agg(pair.name, pair.found), '{}')
            from unnest(names, rows_of) as pair(name, found)
        )
    );
end
$$;

revoke execute on function public.first_rows(jsonb) from public, anon;
grant execute on function public.first_rows(jsonb) to authenticated, service_role;
comment on function public.first_rows(jsonb) is 'Returns the first rows of several tables, as far as the caller may see them, and the cursor for what follows';
