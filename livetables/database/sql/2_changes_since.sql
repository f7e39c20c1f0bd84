-- What the engine calls: what the caller may know to have changed since a cursor. Keys only; the rows are then read under
-- row-level security.

create or replace function public.changes_since(p_cursor text default null) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
    -- A stable function reads everything with its caller's one snapshot, this one. It is the next cursor: what is not
    -- visible in it is what comes next, however late it commits, and each change comes once.
    snapshot constant pg_snapshot := pg_current_snapshot();
    me constant text := nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub';
    mine constant text[] := case when me is not null then array['members', 'user:' || me] else '{}' end;
    -- The setting, unlike current_user, keeps the caller's role. This one reads every row anyway.
    reads_all constant boolean := current_setting('role', true) = 'service_role';
    own constant xid8 := pg_current_xact_id_if_assigned();
    since pg_snapshot;
    next_cursor text := snapshot::text;
    complete_from xid8;
    changes jsonb := '[]';
    resync boolean := false;
    -- More keys than this cost more to read one by one than the tables do.
    most constant int := 10000;
begin
    if p_cursor is not null then
        -- Twenty digits for each transaction that may run at once are much less than this.
        if length(p_cursor) < 100000 and p_cursor ~ '^[0-9]{1,19}:[0-9]{1,19}:([0-9]{1,19}(,[0-9]{1,19})*)?$' then
            begin
                since := p_cursor::pg_snapshot;
            exception when data_exception then
                since := null;
            end;
        end if;
        select state.complete_from into complete_from from livetables.state;
        -- Not ours, from the future of a database that was restored, or older than what is kept. (A dump restored
        -- elsewhere brings a complete_from of its old cluster, which says nothing until trimming sets it right.)
        resync := since is null
            or pg_snapshot_xmax(since) > pg_snapshot_xmax(snapshot)
            or (pg_snapshot_xmin(since) < complete_from and complete_from <= pg_snapshot_xmax(snapshot))
            or exists (
                select from livetables.change_log as entry
                where entry.xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(entry.xid, since)
                    and entry.op = 'TRUNCATE'
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
            from livetables.change_log as entry
            where entry.xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(entry.xid, since)
                and (entry.audience is null or entry.audience && mine or reads_all)
            order by entry.table_name, entry.row_key, entry.id desc
            limit most + 1
        ) as latest;
        if jsonb_array_length(changes) > most then
            resync := true;
            changes := '[]';
        end if;
    end if;
    if own < pg_snapshot_xmax(snapshot) then
        -- A snapshot never lists the transaction that takes it, which may have more to write.
        select format(
            '%s:%s:%s', least(own, pg_snapshot_xmin(snapshot)), pg_snapshot_xmax(snapshot), string_agg(xid::text, ',' order by xid)
        ) into next_cursor
        from (select pg_snapshot_xip(snapshot) as xid union select own) as running;
    end if;
    return jsonb_build_object('cursor', next_cursor, 'resync', resync, 'changes', changes);
end
$$;
comment on function public.changes_since(text) is
    'livetables: the keys of what the caller may know to have changed since a cursor. Without a cursor: the present one.';
revoke execute on function public.changes_since(text) from public, anon, authenticated, service_role;
grant execute on function public.changes_since(text) to anon, authenticated, service_role;
