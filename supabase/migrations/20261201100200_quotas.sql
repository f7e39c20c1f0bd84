-- How much one person may write: so much that nobody notices who works, and a flood does.
--
-- A bucket for each person and table is filled evenly and emptied by each statement, by its rows and their bytes. What
-- does not fit is refused with HTTP 429 (PostgREST takes the status from the code PT429); the detail is the wait in
-- seconds. Direct SQL by the owner, the service role and what triggers write are free, and so are deletions: a person can
-- delete no more than was written, and an event takes the answers of others along.

create table private.quotas (
    table_name text constraint quotas_pkey primary key,
    rows_per_minute integer not null,
    rows_at_once integer not null,
    bytes_per_minute bigint not null,
    bytes_at_once bigint not null,
    constraint quotas_positive check (
        rows_per_minute > 0 and rows_at_once > 0 and bytes_per_minute > 0 and bytes_at_once > 0
    )
);
comment on table private.quotas is 'What a person may write of a table; an operator changes it with plain SQL, at once.';
alter table private.quotas enable row level security;
revoke all on private.quotas from public, anon, authenticated, service_role;

-- Lost in a crash, which fills every bucket; it costs no write-ahead log.
create unlogged table private.quota_use (
    user_id uuid not null,
    table_name text not null,
    rows_left double precision not null,
    bytes_left double precision not null,
    refilled_at timestamptz not null,
    constraint quota_use_pkey primary key (user_id, table_name)
) with (fillfactor = 50);
comment on table private.quota_use is 'The buckets: what is left of them, and since when.';
alter table private.quota_use enable row level security;
revoke all on private.quota_use from public, anon, authenticated, service_role;

insert into private.quotas (table_name, rows_per_minute, rows_at_once, bytes_per_minute, bytes_at_once)
values
    ('users', 60, 60, 1000000, 1000000),
    ('events', 60, 200, 2000000, 5000000),
    ('event_cohosts', 600, 600, 1000000, 1000000),
    ('rsvps', 240, 600, 1000000, 1000000),
    ('tavern_messages', 240, 600, 2000000, 5000000),
    ('private_messages', 240, 600, 4000000, 10000000),
    ('agent_runs', 6000, 6000, 20000000, 40000000),
    ('agent_run_events', 12000, 12000, 20000000, 40000000),
    ('routing_metrics', 60000, 60000, 40000000, 80000000),
    ('routing_budgets', 60, 200, 1000000, 1000000),
    ('model_prices', 600, 2000, 1000000, 2000000),
    ('tenants', 60, 60, 1000000, 1000000),
    ('tenant_invites', 60, 200, 1000000, 1000000),
    ('rater_profiles', 600, 2000, 1000000, 2000000),
    ('campaigns', 60, 200, 4000000, 10000000),
    ('rating_tasks', 60000, 60000, 40000000, 80000000),
    ('rating_task_contents', 60000, 60000, 100000000, 200000000),
    ('rating_task_secrets', 60000, 60000, 40000000, 80000000),
    ('task_leases', 6000, 6000, 4000000, 4000000),
    ('judgments', 1200, 3000, 4000000, 10000000);

create function private.spend_quota() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    me constant uuid := auth.uid();
    now_ constant timestamptz := clock_timestamp();
    quota private.quotas;
    spent_rows bigint;
    spent_bytes bigint;
    left_ private.quota_use;
    wait integer;
begin
    -- Deeper than 1 it is another trigger's doing.
    if me is null or pg_trigger_depth() > 1 or not private.via_api() then
        return null;
    end if;
    select * into quota from private.quotas where table_name = tg_table_name;
    select count(*), coalesce(sum(pg_column_size(affected)), 0) into spent_rows, spent_bytes from affected;
    if quota is null or spent_rows = 0 then
        return null;
    end if;
    insert into private.quota_use as known (user_id, table_name, rows_left, bytes_left, refilled_at)
    values (me, tg_table_name, quota.rows_at_once - spent_rows, quota.bytes_at_once - spent_bytes, now_)
    on conflict (user_id, table_name) do update set
        -- Whoever waited for the row may come with an earlier time than it has.
        rows_left = least(
            quota.rows_at_once,
            known.rows_left + quota.rows_per_minute / 60.0 * greatest(0, extract(epoch from now_ - known.refilled_at))
        ) - spent_rows,
        bytes_left = least(
            quota.bytes_at_once,
            known.bytes_left + quota.bytes_per_minute / 60.0 * greatest(0, extract(epoch from now_ - known.refilled_at))
        ) - spent_bytes,
        refilled_at = greatest(now_, known.refilled_at)
    returning * into left_;
    if left_.rows_left >= 0 and left_.bytes_left >= 0 then
        return null;
    end if;
    if spent_rows > quota.rows_at_once or spent_bytes > quota.bytes_at_once then
        raise exception using errcode = 'PT429', message = 'That is too much at once. Please send it in smaller parts.',
            hint = format('At most %s rows and %s bytes at once.', quota.rows_at_once, quota.bytes_at_once);
    end if;
    wait := ceil(greatest(
        1, -left_.rows_left * 60.0 / quota.rows_per_minute, -left_.bytes_left * 60.0 / quota.bytes_per_minute
    ));
    raise exception using errcode = 'PT429', detail = wait::text,
        message = format('A little slower, please: try again in %s s.', wait);
end
$$;
comment on function private.spend_quota() is
    'Statement triggers of every table that people write; `affected` is the transition table of its rows.';
revoke execute on function private.spend_quota() from public, anon, authenticated, service_role;

-- For a new table: a row in private.quotas, and this.
create function private.limit_writes(wanted text) returns void
language plpgsql security definer set search_path = ''
as $$
begin
    execute format(
        'create trigger spend_quota_insert after insert on public.%1$I referencing new table as affected
             for each statement execute function private.spend_quota();
         create trigger spend_quota_update after update on public.%1$I referencing new table as affected
             for each statement execute function private.spend_quota();',
        wanted
    );
end
$$;
comment on function private.limit_writes(text) is 'Puts the triggers of private.spend_quota() on a table of `public`.';
revoke execute on function private.limit_writes(text) from public, anon, authenticated, service_role;
select private.limit_writes(table_name) from private.quotas;

-- Files: so many bytes a tenant, in all of its buckets.
create table private.storage_quota (
    singleton boolean not null default true constraint storage_quota_pkey primary key,
    bytes_per_tenant bigint not null default 5368709120,
    constraint storage_quota_one_row check (singleton),
    constraint storage_quota_positive check (bytes_per_tenant > 0)
);
comment on table private.storage_quota is 'How many bytes of files a tenant may keep; an operator changes it with plain SQL.';
alter table private.storage_quota enable row level security;
revoke all on private.storage_quota from public, anon, authenticated, service_role;
insert into private.storage_quota default values;

create function private.tenant_has_room(path text) returns boolean
language sql stable security definer set search_path = ''
as $$
    select coalesce(sum((object.metadata ->> 'size')::bigint), 0) < (select bytes_per_tenant from private.storage_quota)
    from storage.objects as object
    where object.bucket_id in ('model-artifacts', 'training-data', 'exports')
        and starts_with(object.name, split_part(path, '/', 1) || '/')
$$;
comment on function private.tenant_has_room(text) is 'Whether the tenant of this file keeps less than its share of bytes.';
revoke execute on function private.tenant_has_room(text) from public, anon, authenticated, service_role;
grant execute on function private.tenant_has_room(text) to authenticated;

create policy "A tenant has room for so many bytes" on storage.objects
    as restrictive for insert to authenticated
    with check (
        bucket_id not in ('model-artifacts', 'training-data', 'exports') or private.tenant_has_room(name)
    );
