-- A cursor from long ago, or from before something large, made an answer without end; and with so many rows to be read by
-- key, it is quicker to load the tables again.
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
    complete_from xid8;
    changes jsonb := '[]';
    resync boolean := false;
    -- More keys than this cost more to read one by one than the tables do.
    most constant int := 10000;
begin
    if p_cursor is not null then
        select state.complete_from into complete_from from private.change_log_state as state;
        since := case when p_cursor ~ '^[0-9]{1,19}$' then p_cursor::xid8 end;
        -- Not ours, from the future of a database that was restored, or older than what is kept. (A dump restored
        -- elsewhere brings a complete_from of its old cluster, which says nothing until pruning sets it right.)
        resync := since is null
            or since > pg_snapshot_xmax(snapshot)
            or (since < complete_from and complete_from <= pg_snapshot_xmax(snapshot));
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
    return jsonb_build_object('cursor', pg_snapshot_xmin(snapshot)::text, 'resync', resync, 'changes', changes);
end
$$;
