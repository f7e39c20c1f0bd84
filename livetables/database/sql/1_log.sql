-- The log of changes, written by triggers in the transaction that makes a change. It has keys only, never content.

create schema if not exists livetables;
revoke all on schema livetables from public;
comment on schema livetables is 'Live tables: the log of changes and its triggers. Never expose it through the API.';

do $$
begin
    if to_regprocedure('livetables.database_version()') is not null then
        if livetables.database_version() > {version} then
            raise exception 'The database has livetables % already, which is newer than {version}', livetables.database_version()
                using hint = 'Upgrade the package streamlit-livetables.';
        end if;
    elsif to_regprocedure('public.changes_since(text)') is not null then
        raise exception 'There is a function public.changes_since(text) already, and it is not of livetables'
            using hint = 'Rename it, or drop it, and run this again.';
    end if;
end
$$;

create or replace function livetables.database_version() returns int
language sql immutable set search_path = ''
as 'select {version}';

create table if not exists livetables.change_log (
    id bigint generated always as identity primary key,
    xid xid8 not null default pg_current_xact_id(),
    table_name text not null,
    row_key jsonb,
    op text not null check (op in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
    audience text[],
    version bigint,
    changed_at timestamptz not null default now()
);
comment on table livetables.change_log is 'One row for every change of a watched table, written by triggers only.';
comment on column livetables.change_log.xid is
    'The transaction that made the change. A time or an id as cursor would lose what commits late.';
comment on column livetables.change_log.audience is
    'Who may know of it: null for everybody, else ''members'' and ''user:<id>'' of the old and the new row.';
comment on column livetables.change_log.version is
    'Of deletions: the version that was deleted, where the table had a version column of its own.';

create index if not exists change_log_xid_idx on livetables.change_log (xid);
create index if not exists change_log_changed_at_idx on livetables.change_log (changed_at);
create index if not exists change_log_deleted_idx on livetables.change_log (table_name, row_key) where version is not null;

create table if not exists livetables.state (
    singleton boolean primary key default true check (singleton),
    complete_from xid8 not null default pg_current_xact_id(),
    retention interval not null default '7 days' check (retention >= interval '0')
);
comment on column livetables.state.complete_from is
    'No entry with this xid or a later one was ever trimmed: an older cursor has to load everything again.';
comment on column livetables.state.retention is 'How long the log is kept. Whoever was away for longer loads the tables again.';
insert into livetables.state default values on conflict do nothing;

create sequence if not exists livetables.versions as bigint start 2;
comment on sequence livetables.versions is
    'The versions of rows. One sequence for all, so that the version of a key grows also when it is deleted and inserted again.';

alter table livetables.change_log enable row level security;
alter table livetables.state enable row level security;
revoke all on all tables in schema livetables from public, anon, authenticated, service_role;
revoke all on all sequences in schema livetables from public, anon, authenticated, service_role;

-- Of a log that was emptied, no older cursor can be answered.
create or replace function livetables.forget_log() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    update livetables.state set complete_from = pg_snapshot_xmax(pg_current_snapshot());
    return null;
end
$$;
create or replace trigger forget_log after truncate on livetables.change_log
    for each statement execute function livetables.forget_log();

-- Arguments: who may know of a change, as JSON (see livetables.audience_of), then the columns of the key.
create or replace function livetables.log_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    who constant jsonb := tg_argv[0];
    before constant jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    after constant jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
    is_public boolean := who ? 'everybody';
    row_key jsonb;
    audience text[] := '{}';
    readers text[];
begin
    if not coalesce(after, before) ?& (tg_argv[1:] || livetables.columns_of(who)) then
        raise exception 'livetables logs %.% by columns that it no longer has', tg_table_schema, tg_table_name
            using hint = format('Run: select livetables.watch(%L);', tg_table_name);
    end if;
    select jsonb_object_agg(col, coalesce(after, before) -> col) into row_key from unnest(tg_argv[1:]) as col;
    -- Both rows: whoever could see it must learn that it moved away.
    if not is_public and who ? 'where' then
        select bool_or(coalesce((state ->> col)::boolean, false)) into is_public
        from jsonb_array_elements_text(who -> 'where') as col
        cross join unnest(array[before, after]) as state;
    end if;
    if not is_public then
        if who ? 'members' then
            audience := array['members'];
        end if;
        if who ? 'people' then
            select audience || coalesce(array_agg(distinct 'user:' || (state ->> col)), '{}') into audience
            from jsonb_array_elements_text(who -> 'people') as col
            cross join unnest(array[before, after]) as state
            where state ->> col is not null;
        end if;
        if who ? 'readers' and tg_op <> 'INSERT' then
            execute format('select array_agg(distinct %L || person) from %s($1) as person', 'user:', who ->> 'readers')
            into readers using old;
            audience := audience || coalesce(readers, '{}');
        end if;
        if who ? 'readers' and tg_op <> 'DELETE' then
            execute format('select array_agg(distinct %L || person) from %s($1) as person', 'user:', who ->> 'readers')
            into readers using new;
            audience := audience || coalesce(readers, '{}');
        end if;
    end if;
    insert into livetables.change_log (table_name, row_key, op, audience, version)
    values (
        tg_table_name, row_key, tg_op, case when not is_public then audience end,
        case when tg_op = 'DELETE' and who ? 'version' then (before ->> (who ->> 'version'))::bigint end
    );
    if tg_op = 'UPDATE' and not coalesce(before @> row_key, false) then
        -- The key itself was changed: the row is gone under its old one.
        select jsonb_object_agg(col, before -> col) into row_key from unnest(tg_argv[1:]) as col;
        insert into livetables.change_log (table_name, row_key, op, audience)
        values (tg_table_name, row_key, 'DELETE', case when not is_public then audience end);
    end if;
    return null;
end
$$;

create or replace function livetables.columns_of(who jsonb) returns text[]
language sql immutable set search_path = ''
as $$
    select coalesce(array_agg(col), '{}')
    from jsonb_array_elements_text(coalesce(who -> 'people', '[]') || coalesce(who -> 'where', '[]')) as col
$$;

-- A truncated table says nothing of its rows, so everybody loads the tables again.
create or replace function livetables.log_truncate() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into livetables.change_log (table_name, op) values (tg_table_name, 'TRUNCATE');
    return null;
end
$$;

-- Arguments: the version column; 'own' if it is the project's own; then, for that, the columns of the key.
create or replace function livetables.set_version() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    col constant text := tg_argv[0];
    key jsonb;
    least bigint;
begin
    if tg_argv[1] is distinct from 'own' then
        if col = 'version' then
            new.version := nextval('livetables.versions');
            return new;
        end if;
        return jsonb_populate_record(new, jsonb_build_object(col, nextval('livetables.versions')));
    end if;
    -- This trigger comes last by its name: it only adds what the project's own triggers have left undone.
    if tg_op = 'UPDATE' then
        least := coalesce((to_jsonb(old) ->> col)::bigint, 0) + 1;
    else
        select jsonb_object_agg(name, to_jsonb(new) -> name) into key from unnest(tg_argv[2:]) as name;
        select coalesce(max(entry.version), 0) + 1 into least from livetables.change_log as entry
        where entry.table_name = tg_table_name and entry.row_key = key and entry.version is not null;
    end if;
    if coalesce((to_jsonb(new) ->> col)::bigint, 0) < least then
        return jsonb_populate_record(new, jsonb_build_object(col, least));
    end if;
    return new;
end
$$;

-- Deletes at most so many expired entries; returns how many.
create or replace function livetables.trim_batch(older_than timestamptz, at_most bigint) returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
    trimmed bigint;
    newest xid8;
begin
    perform from livetables.state for update skip locked;
    if not found then
        return 0; -- somebody else is at it
    end if;
    with expired as (
        select id from livetables.change_log where changed_at < older_than order by changed_at limit at_most
    ), gone as (
        delete from livetables.change_log as entry using expired where entry.id = expired.id returning entry.xid
    )
    select count(*), max(gone.xid) into trimmed, newest from gone;
    update livetables.state
    set complete_from = case
        -- Restored from another cluster, whose numbers mean nothing here: begin anew.
        when complete_from > pg_current_xact_id() or newest > pg_current_xact_id() then pg_current_xact_id()
        else greatest(complete_from, (newest::text::numeric + 1)::text::xid8)
    end
    where newest is not null or complete_from > pg_current_xact_id();
    return trimmed;
end
$$;

create or replace function livetables.trim(retention interval default null) returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
    kept constant interval := coalesce(retention, (select state.retention from livetables.state));
begin
    if kept < interval '0' then
        raise exception using errcode = '22023', message = 'The retention of the log is an interval of zero or more.';
    end if;
    return livetables.trim_batch(now() - kept, 9223372036854775807);
end
$$;
comment on function livetables.trim(interval) is
    'Forgets changes older than this (by default livetables.state.retention) and says how many. Not for the API.';

-- Without a scheduler the log keeps itself short: about one statement in 500 takes along up to 1,000 expired entries.
create or replace function livetables.trim_now_and_then() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if random() < 0.002 then
        perform livetables.trim_batch(now() - (select retention from livetables.state), 1000);
    end if;
    return null;
end
$$;
create or replace trigger trim_now_and_then after insert on livetables.change_log
    for each statement execute function livetables.trim_now_and_then();
