-- Every change, written by triggers in the transaction that makes it. The admins' activity feed, and through
-- changes_since() the one thing that tells a client for certain what it has missed.

create table public.change_log (
    id bigint generated always as identity constraint change_log_pkey primary key,
    xid xid8 not null default pg_current_xact_id(),
    table_name text not null,
    row_key jsonb not null,
    op text not null,
    actor uuid default auth.uid(), -- no foreign key: what a deleted account did stays known until it is pruned
    old jsonb,
    new jsonb,
    audience uuid[],
    changed_at timestamptz not null default now(),
    constraint change_log_op_known check (op in ('INSERT', 'UPDATE', 'DELETE')),
    constraint change_log_private_without_content check (audience is null or (old is null and new is null))
);
comment on table public.change_log is 'One row for every change of a table, written by triggers only, kept for 30 days.';
comment on column public.change_log.xid is 'The transaction that made the change. A time or an id as cursor would lose what commits late.';
comment on column public.change_log.audience is 'Who may know of it: null for everybody, else the people of the old and the new row. Such entries have no content.';

create index change_log_xid_idx on public.change_log (xid);
create index change_log_changed_at_idx on public.change_log (changed_at);

create table private.change_log_state (
    singleton boolean not null default true constraint change_log_state_pkey primary key,
    complete_from xid8 not null default pg_current_xact_id(),
    constraint change_log_state_one_row check (singleton)
);
comment on column private.change_log_state.complete_from is
    'No entry with this xid or a later one was ever pruned: an older cursor has to load everything again.';
insert into private.change_log_state default values;
alter table private.change_log_state enable row level security;
revoke all on private.change_log_state from public, anon, authenticated, service_role;

-- Arguments: 'public', or the columns (with commas) whose people may know; then the columns of the key.
create function private.log_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    is_public constant boolean := tg_argv[0] = 'public';
    before constant jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    after constant jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
    row_key jsonb;
    audience uuid[];
begin
    select jsonb_object_agg(col, coalesce(after, before) -> col) into row_key from unnest(tg_argv[1:]) as col;
    if not is_public then
        -- Both rows: whoever could see it must learn that it moved away.
        select coalesce(array_agg(distinct person::uuid), '{}') into audience
        from unnest(string_to_array(tg_argv[0], ',')) as col
        cross join lateral (values (before ->> col), (after ->> col)) as either(person)
        where person is not null;
    end if;
    insert into public.change_log (table_name, row_key, op, old, new, audience)
    values (
        tg_table_name, row_key, tg_op,
        case when is_public then before end, case when is_public then after end, audience
    );
    return null;
end
$$;
revoke execute on function private.log_change() from public, anon, authenticated, service_role;

create trigger log_change after insert or update or delete on public.users
    for each row execute function private.log_change('public', 'id');
create trigger log_change after insert or update or delete on public.events
    for each row execute function private.log_change('public', 'id');
create trigger log_change after insert or update or delete on public.event_cohosts
    for each row execute function private.log_change('public', 'event_id', 'user_id');
create trigger log_change after insert or update or delete on public.rsvps
    for each row execute function private.log_change('public', 'event_id', 'user_id');
create trigger log_change after insert or update or delete on public.tavern_messages
    for each row execute function private.log_change('public', 'id');
create trigger log_change after insert or update or delete on public.private_messages
    for each row execute function private.log_change('sender_id,recipient_id', 'id');

create function public.changes_since(p_cursor text default null) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
    -- A stable function reads everything with its caller's one snapshot, this one: what it did not see has an xid that
    -- was running then, so it is not below xmin, and the next call (>= xmin) has it.
    snapshot constant pg_snapshot := pg_current_snapshot();
    me constant uuid := auth.uid();
    since xid8;
    complete_from xid8;
    changes jsonb := '[]';
    resync boolean := false;
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
            where entry.xid >= since and (entry.audience is null or me = any (entry.audience))
            order by entry.table_name, entry.row_key, entry.id desc
        ) as latest;
    end if;
    return jsonb_build_object('cursor', pg_snapshot_xmin(snapshot)::text, 'resync', resync, 'changes', changes);
end
$$;
comment on function public.changes_since(text) is
    'What the caller may know to have changed since a cursor: keys, to be read under row level security. Without a cursor: the present one.';
revoke execute on function public.changes_since(text) from public, anon, authenticated, service_role;
grant execute on function public.changes_since(text) to anon, authenticated, service_role;

create function private.prune_batch(older_than timestamptz, at_most bigint) returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
    pruned bigint;
    newest xid8;
begin
    perform from private.change_log_state for update skip locked;
    if not found then
        return 0; -- somebody else is at it
    end if;
    with expired as (
        select id from public.change_log where changed_at < older_than order by changed_at limit at_most
    ), gone as (
        delete from public.change_log as entry using expired where entry.id = expired.id returning entry.xid
    )
    select count(*), max(gone.xid) into pruned, newest from gone;
    update private.change_log_state
    set complete_from = case
        -- Restored from another cluster, whose numbers mean nothing here: begin anew.
        when complete_from > pg_current_xact_id() or newest > pg_current_xact_id() then pg_current_xact_id()
        else greatest(complete_from, (newest::text::numeric + 1)::text::xid8)
    end
    where newest is not null or complete_from > pg_current_xact_id();
    return pruned;
end
$$;
revoke execute on function private.prune_batch(timestamptz, bigint) from public, anon, authenticated, service_role;

create function public.prune_change_log(retention interval default '30 days') returns bigint
language plpgsql security definer set search_path = ''
as $$
begin
    if retention is null or retention < interval '0' then
        raise exception using errcode = '22023', message = 'The retention of the change log is an interval of zero or more.';
    end if;
    return private.prune_batch(now() - retention, 9223372036854775807);
end
$$;
comment on function public.prune_change_log(interval) is 'Forgets changes older than this and says how many. Not for the API.';
revoke execute on function public.prune_change_log(interval) from public, anon, authenticated, service_role;
grant execute on function public.prune_change_log(interval) to service_role;

-- Without a scheduler the log keeps itself short: about one change in 500 takes along up to 1,000 expired entries.
create function private.prune_now_and_then() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if random() < 0.002 then
        perform private.prune_batch(now() - interval '30 days', 1000);
    end if;
    return null;
end
$$;
revoke execute on function private.prune_now_and_then() from public, anon, authenticated, service_role;
create trigger prune_now_and_then after insert on public.change_log
    for each statement execute function private.prune_now_and_then();

-- Where the scheduler is switched on (hosted: Database > Extensions > pg_cron), once a night.
do $$
begin
    if exists (select from pg_catalog.pg_extension where extname = 'pg_cron') then
        execute $cron$ select cron.schedule('tavern-prune-change-log', '17 3 * * *', 'select public.prune_change_log()') $cron$;
    end if;
end
$$;

alter table public.change_log enable row level security;
revoke all on public.change_log from public, anon, authenticated, service_role;
grant select on public.change_log to anon, authenticated, service_role;

-- Also of a private change an admin learns nothing, not even the key, unless they are a party to it.
create policy "Admins may read what they may know" on public.change_log
    for select to authenticated
    using ((select private.is_admin()) and (audience is null or (select auth.uid()) = any (audience)));
