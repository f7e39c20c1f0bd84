-- Since when a run is in its status, as its agent says: after an outage, changes of status are told late and all at
-- once, and a timeline by the database's clock would be wrong.

alter table public.agent_runs add column status_at timestamptz not null default now();
comment on column public.agent_runs.status_at is
    'Since when it is in this status: what the caller says, but not before the last change nor in the future.';

create or replace function private.stamp_run() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if tg_op = 'INSERT' then
        if private.via_api() then
            if new.status not in ('pending', 'in_progress') then
                raise exception using errcode = '23514', message = 'A run begins as pending or in_progress.';
            end if;
            new.started_at := least(new.started_at, now());
            new.status_at := new.started_at;
            new.heartbeat_at := now();
            new.completed_at := null;
            new.verification_attempts := 0;
        end if;
        return new;
    end if;
    new.heartbeat_at := case when new.heartbeat_at <> old.heartbeat_at then now() else old.heartbeat_at end;
    new.verification_attempts := old.verification_attempts
        + (new.status = 'verification_in_progress' and old.status <> new.status)::integer;
    if new.status = old.status then
        new.status_at := old.status_at;
    else
        new.status_at := case
            when new.status_at is distinct from old.status_at then greatest(old.status_at, least(new.status_at, now()))
            else now()
        end;
    end if;
    new.completed_at := case when private.is_finished_run(new.status) then new.status_at end;
    if new.status = 'completed' then
        new.progress_percent := 100;
    end if;
    return new;
end
$$;

create or replace function private.note_run_status() returns trigger
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
        new.status_at
    );
    return null;
end
$$;
