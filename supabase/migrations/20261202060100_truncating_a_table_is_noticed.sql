-- TRUNCATE fires no row triggers, so every tab went on showing rows that were gone. Now it leaves one entry in the log, and
-- whoever has a cursor from before loads all tables again, once. It names no row and is nobody's to read.
alter table public.change_log drop constraint change_log_op_known;
alter table public.change_log
    add constraint change_log_op_known check (op in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
    add constraint change_log_truncated_for_nobody check (op <> 'TRUNCATE' or (audience = '{}' and row_key = '{}'));

create function private.log_truncate() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into public.change_log (table_name, row_key, op, audience) values (tg_table_name, '{}', 'TRUNCATE', '{}');
    return null;
end
$$;
revoke execute on function private.log_truncate() from public, anon, authenticated, service_role;

do $$
declare
    logged regclass;
begin
    for logged in select tgrelid::regclass from pg_catalog.pg_trigger where tgname = 'log_change' and not tgisinternal loop
        execute format(
            'create trigger log_truncate after truncate on %s for each statement execute function private.log_truncate()', logged
        );
    end loop;
end
$$;

-- Of a log that was emptied, no older cursor can be answered.
create function private.forget_log() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    update private.change_log_state set complete_from = pg_snapshot_xmax(pg_current_snapshot());
    return null;
end
$$;
revoke execute on function private.forget_log() from public, anon, authenticated, service_role;
create trigger forget_log after truncate on public.change_log
    for each statement execute function private.forget_log();

-- A cursor may go on with the entries of truncated tables that its owner has acted on: while a transaction is open, the log is
-- read from before it again and again, and nobody may load all tables with each answer.
create or replace function public.changes_since(p_cursor text default null) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
    -- A stable function reads everything with its caller's one snapshot, this one: what it did not see has an xid that
    -- was running then, so it is not below xmin, and the next call (>= xmin) has it.
    snapshot constant pg_snapshot := pg_current_snapshot();
    me constant uuid := auth.uid();
    admin constant boolean := private.is_admin();
    mine constant text[] := array['everybody'] || coalesce(private.my_scopes(), '{}');
    since xid8;
    known bigint[];
    complete_from xid8;
    changes jsonb := '[]';
    resync boolean := false;
    -- More keys than this cost more to read one by one than the tables do.
    most constant int := 10000;
begin
    if p_cursor is not null then
        select state.complete_from into complete_from from private.change_log_state as state;
        if p_cursor ~ '^[0-9]{1,19}([.][0-9]{1,18}){0,100}$' then
            since := split_part(p_cursor, '.', 1)::xid8;
            known := (string_to_array(p_cursor, '.'))[2:]::bigint[];
        end if;
        -- Not ours, from the future of a database that was restored, or older than what is kept. (A dump restored
        -- elsewhere brings a complete_from of its old cluster, which says nothing until pruning sets it right.)
        resync := since is null
            or since > pg_snapshot_xmax(snapshot)
            or (since < complete_from and complete_from <= pg_snapshot_xmax(snapshot))
            or exists (
                select from public.change_log as entry
                where entry.xid >= since and entry.op = 'TRUNCATE' and entry.id <> all (known)
            );
    end if;
    if p_cursor is not null and not resync then
        select coalesce(
            jsonb_agg(
                jsonb_build_object('table', latest.table_name, 'key', latest.row_key, 'op', latest.op) order by latest.id
            ),
            '[]'
        ) into changes
        from (
            select distinct on (entry.table_name, entry.row_key) entry.id, entry.table_name, entry.row_key, entry.op
            from public.change_log as entry
            where entry.xid >= since
                and (
                    entry.audience is null or me = any (entry.audience) or (entry.for_admins and admin)
                    or entry.scopes && mine
                )
            order by entry.table_name, entry.row_key, entry.id desc
            limit most + 1
        ) as latest;
        if jsonb_array_length(changes) > most then
            resync := true;
            changes := '[]';
        end if;
    end if;
    return jsonb_build_object(
        'cursor', (
            select concat_ws('.', pg_snapshot_xmin(snapshot)::text, string_agg(entry.id::text, '.' order by entry.id))
            from public.change_log as entry where entry.xid >= pg_snapshot_xmin(snapshot) and entry.op = 'TRUNCATE'
        ),
        'resync', resync, 'changes', changes
    );
end
$$;

-- As before, with the cursor of changes_since(), which has the caller's one snapshot too.
create or replace function public.first_rows(p_tables jsonb) returns json
language plpgsql stable security invoker set search_path = ''
as $$
declare
    -- A stable function reads everything with its caller's one snapshot, so no table is newer than the cursor says.
    next_cursor constant text := public.changes_since() ->> 'cursor';
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
        'cursor', next_cursor,
        'rows', (
            select coalesce(json_object_agg(pair.name, pair.found), '{}')
            from unnest(names, rows_of) as pair(name, found)
        )
    );
end
$$;
