-- Runs of agents, for the board that shows them live: one row a run, and an append-only trail of what it did.
--
-- task_id is text without a foreign key: the tasks are rows (or tickets, or files) of whatever system started the
-- agent. There is no table of them here, and their ids are not always uuids ("task_123").

create function private.is_finished_run(status text) returns boolean
language sql immutable set search_path = ''
as $$ select status in ('completed', 'escalated_to_human', 'failed', 'cancelled') $$;
comment on function private.is_finished_run(text) is 'Whether a run in this status is history, and as such immutable.';

-- The flow. While it is not finished, any run may also fail or be cancelled. Trying again after the end is a new run
-- that names the old one in retry_of; trying again after a verification that failed goes on with the same run.
create function private.run_may_become(before text, after text) returns boolean
language sql immutable set search_path = ''
as $$
    select not private.is_finished_run(before) and (
        after in ('failed', 'cancelled')
        or (before, after) in (
            ('pending', 'in_progress'),
            ('in_progress', 'awaiting_verification'),
            ('in_progress', 'completed'),
            ('awaiting_verification', 'verification_in_progress'),
            ('verification_in_progress', 'verification_passed'),
            ('verification_in_progress', 'verification_failed'),
            ('verification_passed', 'completed'),
            ('verification_failed', 'in_progress'),
            ('verification_failed', 'escalated_to_human')
        )
    )
$$;
revoke execute on function private.is_finished_run(text), private.run_may_become(text, text)
    from public, anon, authenticated, service_role;

create table public.agent_runs (
    id uuid constraint agent_runs_pkey primary key default gen_random_uuid(),
    task_id text,
    user_id uuid not null default auth.uid()
        constraint agent_runs_user_id_fkey references public.users (id) on delete cascade,
    agent_name text not null,
    agent_id text not null,
    status text not null default 'pending',
    current_step text,
    progress_percent double precision not null default 0,
    result jsonb,
    error text,
    metadata jsonb not null default '{}',
    verification_attempts integer not null default 0,
    verification_evidence jsonb not null default '[]',
    tokens bigint not null default 0,
    cost_usd numeric not null default 0,
    retry_of uuid,
    started_at timestamptz not null default now(),
    heartbeat_at timestamptz not null default now(),
    completed_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint agent_runs_owner_key unique (id, user_id),
    constraint agent_runs_retry_of_fkey foreign key (retry_of, user_id) references public.agent_runs (id, user_id),
    constraint agent_runs_task_id_length check (char_length(task_id) <= 200),
    constraint agent_runs_agent_name_length check (char_length(agent_name) between 1 and 80 and agent_name ~ '\S'),
    constraint agent_runs_agent_id_length check (char_length(agent_id) between 1 and 200),
    constraint agent_runs_status_known check (status in (
        'pending', 'in_progress', 'awaiting_verification', 'verification_in_progress', 'verification_passed',
        'verification_failed', 'completed', 'escalated_to_human', 'failed', 'cancelled'
    )),
    constraint agent_runs_current_step_length check (char_length(current_step) <= 300),
    constraint agent_runs_progress_percent_range check (progress_percent between 0 and 100),
    constraint agent_runs_result_size check (octet_length(result::text) <= 200000),
    constraint agent_runs_error_length check (char_length(error) <= 5000),
    constraint agent_runs_metadata_form check (jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 20000),
    constraint agent_runs_verification_evidence_form check (
        jsonb_typeof(verification_evidence) = 'array' and octet_length(verification_evidence::text) <= 100000
    ),
    constraint agent_runs_tokens_range check (tokens >= 0),
    -- NaN is above everything, so the upper end refuses it too.
    constraint agent_runs_cost_usd_range check (cost_usd between 0 and 1000000)
);
comment on table public.agent_runs is 'One row for each run of an agent. Finished runs are immutable.';
comment on column public.agent_runs.task_id is 'What the run is for, in the words of the system that started it. Not a key of ours.';
comment on column public.agent_runs.heartbeat_at is 'The last sign of life. Whatever a caller sends counts as now.';
comment on column public.agent_runs.retry_of is 'The run that this one tries again.';
comment on constraint agent_runs_task_id_length on public.agent_runs is 'A task has up to 200 characters.';
comment on constraint agent_runs_agent_name_length on public.agent_runs is 'An agent''s name has 1 to 80 characters.';
comment on constraint agent_runs_agent_id_length on public.agent_runs is 'An agent''s id has 1 to 200 characters.';
comment on constraint agent_runs_status_known on public.agent_runs is 'That is not a status of a run.';
comment on constraint agent_runs_current_step_length on public.agent_runs is 'A step has up to 300 characters.';
comment on constraint agent_runs_progress_percent_range on public.agent_runs is 'Progress is between 0 and 100 percent.';
comment on constraint agent_runs_result_size on public.agent_runs is 'A result has up to 200 kB of JSON.';
comment on constraint agent_runs_error_length on public.agent_runs is 'An error has up to 5,000 characters.';
comment on constraint agent_runs_metadata_form on public.agent_runs is 'Metadata is a JSON object of up to 20 kB.';
comment on constraint agent_runs_verification_evidence_form on public.agent_runs is 'Evidence is a JSON list of up to 100 kB.';
comment on constraint agent_runs_tokens_range on public.agent_runs is 'Tokens cannot be fewer than none.';
comment on constraint agent_runs_cost_usd_range on public.agent_runs is 'A cost is between 0 and 1,000,000 dollars.';

create index agent_runs_user_id_idx on public.agent_runs (user_id, created_at desc, id desc);
create index agent_runs_newest_idx on public.agent_runs (created_at desc, id desc);
create index agent_runs_retry_of_idx on public.agent_runs (retry_of);

create table public.agent_run_events (
    id uuid constraint agent_run_events_pkey primary key default gen_random_uuid(),
    run_id uuid not null,
    user_id uuid not null default auth.uid(),
    seq integer not null default 0,
    kind text not null,
    level text not null default 'info',
    message text not null,
    data jsonb,
    at timestamptz not null default now(),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint agent_run_events_run_id_fkey foreign key (run_id, user_id)
        references public.agent_runs (id, user_id) on delete cascade,
    constraint agent_run_events_kind_known check (kind in ('step', 'log', 'status')),
    constraint agent_run_events_level_known check (level in ('debug', 'info', 'warning', 'error')),
    constraint agent_run_events_message_length check (char_length(message) <= 20000),
    constraint agent_run_events_data_size check (octet_length(data::text) <= 20000)
);
comment on table public.agent_run_events is
    'What happened in a run: steps, log lines (one row may hold many, a line each) and changes of status. Append-only.';
comment on column public.agent_run_events.seq is 'The publisher''s own count; 0 for what the database writes.';
comment on column public.agent_run_events.at is 'When it happened, by the publisher''s clock.';
comment on constraint agent_run_events_kind_known on public.agent_run_events is 'An event is a step, a log line or a status.';
comment on constraint agent_run_events_level_known on public.agent_run_events is 'A level is debug, info, warning or error.';
comment on constraint agent_run_events_message_length on public.agent_run_events is 'An event has up to 20,000 characters.';
comment on constraint agent_run_events_data_size on public.agent_run_events is 'The data of an event has up to 20 kB of JSON.';

create index agent_run_events_run_id_idx on public.agent_run_events (run_id, at);
create index agent_run_events_user_id_idx on public.agent_run_events (user_id, created_at desc, id desc);
create index agent_run_events_newest_idx on public.agent_run_events (created_at desc, id desc);

create function private.guard_run() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if private.is_finished_run(old.status) then
        raise exception using errcode = '23514', message = 'This run is finished: it cannot be changed any more.',
            hint = 'Start a new run with retry_of.';
    end if;
    if (old.user_id, old.agent_name, old.agent_id, old.task_id, old.retry_of, old.started_at)
        is distinct from (new.user_id, new.agent_name, new.agent_id, new.task_id, new.retry_of, new.started_at)
    then
        raise exception using errcode = '42501', message = 'Whose run it is, of which agent and since when, cannot be changed.';
    end if;
    if new.status <> old.status and not private.run_may_become(old.status, new.status) then
        raise exception using errcode = '23514',
            message = format('A run cannot go from %s to %s.', old.status, new.status);
    end if;
    if private.via_api() and new.user_id is distinct from (select auth.uid()) and (
        new.status <> 'cancelled'
        or to_jsonb(new) - array['status', 'version', 'updated_at']
            is distinct from to_jsonb(old) - array['status', 'version', 'updated_at']
    )
    then
        raise exception using errcode = '42501', message = 'An admin can cancel a run of somebody else, and nothing more.';
    end if;
    return new;
end
$$;

-- Named to come after the guards: triggers of a kind fire in the order of their names.
create function private.stamp_run() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if tg_op = 'INSERT' then
        if private.via_api() then
            if new.status not in ('pending', 'in_progress') then
                raise exception using errcode = '23514', message = 'A run begins as pending or in_progress.';
            end if;
            new.started_at := least(new.started_at, now());
            new.heartbeat_at := now();
            new.completed_at := null;
            new.verification_attempts := 0;
        end if;
        return new;
    end if;
    new.heartbeat_at := case when new.heartbeat_at <> old.heartbeat_at then now() else old.heartbeat_at end;
    new.verification_attempts := old.verification_attempts
        + (new.status = 'verification_in_progress' and old.status <> new.status)::integer;
    if not private.is_finished_run(new.status) then
        new.completed_at := null;
    else
        -- A publisher that was cut off tells the end later than it was.
        new.completed_at := greatest(least(coalesce(new.completed_at, now()), now()), new.started_at);
    end if;
    if new.status = 'completed' then
        new.progress_percent := 100;
    end if;
    return new;
end
$$;

create function private.note_run_status() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into public.agent_run_events (run_id, user_id, kind, level, message, data, at)
    values (
        new.id, new.user_id, 'status',
        case when new.status in ('failed', 'verification_failed') then 'error'
             when new.status in ('cancelled', 'escalated_to_human') then 'warning' else 'info' end,
        new.status,
        jsonb_strip_nulls(jsonb_build_object('from', case when tg_op = 'UPDATE' then old.status end, 'by', auth.uid())),
        coalesce(new.completed_at, case when tg_op = 'INSERT' then new.started_at else clock_timestamp() end)
    );
    return null;
end
$$;
comment on function private.note_run_status() is 'The trail of statuses, with who did it: publishers cannot forget it, nor invent one.';

create function private.guard_run_event() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    run_status constant text := (select status from public.agent_runs where id = new.run_id and user_id = new.user_id);
begin
    if run_status is null then
        raise exception using errcode = '42501', message = 'Only the agent of a run can say what happens in it.';
    end if;
    if private.is_finished_run(run_status) then
        raise exception using errcode = '23514', message = 'This run is finished: nothing more can happen in it.';
    end if;
    if new.kind = 'status' then
        raise exception using errcode = '42501', message = 'The status of a run is noted by the database.';
    end if;
    new.at := least(new.at, now());
    return new;
end
$$;
revoke execute on function private.guard_run(), private.stamp_run(), private.note_run_status(), private.guard_run_event()
    from public, anon, authenticated, service_role;

create trigger guard_key before update on public.agent_runs
    for each row when (old.id is distinct from new.id)
    execute function private.refuse('The id of a run cannot be changed.');
create trigger guard_run before update on public.agent_runs
    for each row execute function private.guard_run();
create trigger stamp_row before insert or update on public.agent_runs
    for each row execute function private.stamp_row();
create trigger stamp_run before insert or update on public.agent_runs
    for each row execute function private.stamp_run();
create trigger note_first_status after insert on public.agent_runs
    for each row execute function private.note_run_status();
create trigger note_status after update on public.agent_runs
    for each row when (old.status is distinct from new.status)
    execute function private.note_run_status();

create trigger guard_key before update on public.agent_run_events
    for each row execute function private.refuse('What happened in a run cannot be changed.');
-- Deeper than 0 it is the database's own note of a status.
create trigger guard_run_event before insert on public.agent_run_events
    for each row when (pg_trigger_depth() = 0)
    execute function private.guard_run_event();
create trigger stamp_row before insert or update on public.agent_run_events
    for each row execute function private.stamp_row();

-- What admins may read besides its people. The log tells them the keys of it, through changes_since() alone: their
-- activity feed shows what people do, and a busy agent would push all that out of it.
alter table public.change_log add column for_admins boolean not null default false;
comment on column public.change_log.for_admins is 'Admins may know of it beside the audience, through changes_since().';

-- As before, and 'admins' among the columns of the first argument means that admins may know too.
create or replace function private.log_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    told constant text[] := string_to_array(tg_argv[0], ',');
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
        from unnest(array_remove(told, 'admins')) as col
        cross join lateral (values (before ->> col), (after ->> col)) as either(person)
        where person is not null;
    end if;
    insert into public.change_log (table_name, row_key, op, old, new, audience, for_admins)
    values (
        tg_table_name, row_key, tg_op,
        case when is_public then before end, case when is_public then after end, audience, 'admins' = any (told)
    );
    return null;
end
$$;

create trigger log_change after insert or update or delete on public.agent_runs
    for each row execute function private.log_change('user_id,admins', 'id');
create trigger log_change after insert or update or delete on public.agent_run_events
    for each row execute function private.log_change('user_id,admins', 'id');

create or replace function public.changes_since(p_cursor text default null) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
    -- A stable function reads everything with its caller's one snapshot, this one: what it did not see has an xid that
    -- was running then, so it is not below xmin, and the next call (>= xmin) has it.
    snapshot constant pg_snapshot := pg_current_snapshot();
    me constant uuid := auth.uid();
    admin constant boolean := private.is_admin();
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
            where entry.xid >= since
                and (entry.audience is null or me = any (entry.audience) or (entry.for_admins and admin))
            order by entry.table_name, entry.row_key, entry.id desc
        ) as latest;
    end if;
    return jsonb_build_object('cursor', pg_snapshot_xmin(snapshot)::text, 'resync', resync, 'changes', changes);
end
$$;

drop policy "Admins may read what they may know" on public.change_log;
-- Also of a private change an admin learns nothing here, not even the key, unless they are a party to it.
create policy "Admins may read what people do, as far as they may know" on public.change_log
    for select to authenticated
    using (
        (select private.is_admin()) and not for_admins and (audience is null or (select auth.uid()) = any (audience))
    );

alter table public.agent_runs enable row level security;
alter table public.agent_run_events enable row level security;
revoke all on public.agent_runs, public.agent_run_events from public, anon, authenticated, service_role;
-- With SELECT and no policy a visitor sees no row; without it, Realtime would tell them that there was one.
grant select on public.agent_runs, public.agent_run_events to anon;
grant select, insert, update on public.agent_runs to authenticated;
grant select, insert on public.agent_run_events to authenticated;
grant select, insert, update, delete on public.agent_runs, public.agent_run_events to service_role;

create policy "The owner and admins may see a run" on public.agent_runs
    for select to authenticated using (user_id = (select auth.uid()) or (select private.is_admin()));
create policy "Members may start runs" on public.agent_runs
    for insert to authenticated with check (user_id = (select auth.uid()));
-- The trigger leaves admins nothing but cancelling.
create policy "The owner may update a run, admins cancel it" on public.agent_runs
    for update to authenticated
    using (user_id = (select auth.uid()) or (select private.is_admin()))
    with check (user_id = (select auth.uid()) or (select private.is_admin()));
-- No policy for delete: a run is a record, and goes with its person's account.

create policy "The owner and admins may see what happened in a run" on public.agent_run_events
    for select to authenticated using (user_id = (select auth.uid()) or (select private.is_admin()));
create policy "The owner may say what happens in a run" on public.agent_run_events
    for insert to authenticated with check (user_id = (select auth.uid()));

alter publication supabase_realtime add table public.agent_runs, public.agent_run_events;
