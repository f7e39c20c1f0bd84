-- What an admin needs after a flood: who has written how much, and a way to delete it. Row-level security lets nobody
-- read or delete what is private to others, so both are functions; they tell numbers, never a text.

create function public.writes_by_person(p_minutes integer default 60)
returns table (user_id uuid, table_name text, written bigint, deleted bigint, last_at timestamptz)
language plpgsql stable security definer set search_path = ''
as $$
begin
    if not private.is_admin() then
        raise exception using errcode = '42501', message = 'Only admins see who writes how much.';
    end if;
    if p_minutes is null or p_minutes not between 1 and 1440 then
        raise exception using errcode = '22023', message = 'Ask for 1 to 1,440 minutes.';
    end if;
    return query
        select entry.actor, entry.table_name,
            count(*) filter (where entry.op <> 'DELETE'), count(*) filter (where entry.op = 'DELETE'), max(entry.changed_at)
        from public.change_log as entry
        where entry.changed_at > now() - make_interval(mins => p_minutes) and entry.actor is not null
            and entry.table_name <> 'ended_sessions'
        group by entry.actor, entry.table_name
        order by count(*) desc, entry.actor, entry.table_name
        limit 1000;
end
$$;
comment on function public.writes_by_person(integer) is
    'For admins: how many rows each person has written and deleted of each table in so many minutes, the most first.';
revoke execute on function public.writes_by_person(integer) from public, anon, authenticated, service_role;
grant execute on function public.writes_by_person(integer) to authenticated;

create function public.clean_up(
    p_user uuid, p_table text, p_before timestamptz, p_delete boolean default false
) returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
    -- A statement of a person may take some seconds only.
    most constant integer := 5000;
    ids uuid[];
begin
    if not private.is_admin() then
        raise exception using errcode = '42501', message = 'Only admins clean up after others.';
    end if;
    if p_user is null or p_before is null or p_delete is null
        or p_table is null or p_table not in ('agent_runs', 'routing_metrics', 'tavern_messages', 'private_messages')
    then
        raise exception using errcode = '22023', message = 'Choose a person, one of the tables and a time.';
    end if;
    if p_table = 'agent_runs' then
        with recursive kept as (
            -- A run that goes on, and the earlier ones that it tries again.
            select run.id, run.retry_of from public.agent_runs as run
            where run.user_id = p_user and (run.created_at >= p_before or run.completed_at is null)
            union
            select earlier.id, earlier.retry_of from public.agent_runs as earlier
            join kept on kept.retry_of = earlier.id
        )
        -- The newest first: a retry goes before, or with, the run that it tries again.
        select array_agg(found.id) into ids
        from (
            select run.id from public.agent_runs as run
            where run.user_id = p_user and run.id not in (select kept.id from kept)
            order by run.created_at desc limit case when p_delete then most end
        ) as found;
    else
        execute format(
            'select array_agg(id) from (select id from public.%I where %I = $1 and created_at < $2 limit $3) as found',
            p_table,
            case p_table when 'tavern_messages' then 'author_id' when 'private_messages' then 'sender_id' else 'user_id' end
        ) into ids using p_user, p_before, case when p_delete then most end;
    end if;
    if p_delete then
        execute format('delete from public.%I where id = any ($1)', p_table) using ids;
    end if;
    return coalesce(cardinality(ids), 0);
end
$$;
comment on function public.clean_up(uuid, text, timestamptz, boolean) is
    'For admins: how many rows of a table a person has made before a time, or deletes up to 5,000 of them. Runs only if they have ended.';
revoke execute on function public.clean_up(uuid, text, timestamptz, boolean) from public, anon, authenticated, service_role;
grant execute on function public.clean_up(uuid, text, timestamptz, boolean) to authenticated;
