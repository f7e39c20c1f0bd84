-- What is said about an event, on its page. As in the common room, a hidden message keeps its place, and its text moves to
-- where nobody reads it. Who sees an event reads its discussion, also of a cancelled one; whoever hosts it may hide.

create table public.event_messages (
    id uuid constraint event_messages_pkey primary key default gen_random_uuid(),
    event_id uuid not null constraint event_messages_event_id_fkey references public.events (id) on delete cascade,
    author_id uuid not null default auth.uid()
        constraint event_messages_author_id_fkey references public.users (id) on delete cascade,
    body text,
    edited_at timestamptz,
    hidden_at timestamptz,
    hidden_by uuid constraint event_messages_hidden_by_fkey references public.users (id) on delete set null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint event_messages_body_length check (char_length(body) between 1 and 2000),
    constraint event_messages_body_not_blank check (body ~ '\S'),
    constraint event_messages_body_or_hidden check ((body is null) = (hidden_at is not null)),
    constraint event_messages_hidden_by_whom check (hidden_by is null or hidden_at is not null)
);
comment on table public.event_messages is 'The discussions of events. A hidden message has no body.';
comment on constraint event_messages_body_length on public.event_messages is 'A message has 1 to 2,000 characters.';
comment on constraint event_messages_body_not_blank on public.event_messages is 'A message has 1 to 2,000 characters.';
comment on constraint event_messages_body_or_hidden on public.event_messages is 'A message has 1 to 2,000 characters.';
-- As in tavern_messages: the replica identity is the key, and the text stays in the row.
alter table public.event_messages alter column body set storage main;

-- A page loads the newest of one event, a server process the newest of all.
create index event_messages_event_id_idx on public.event_messages (event_id, created_at desc, id desc);
create index event_messages_created_at_idx on public.event_messages (created_at desc, id desc);
create index event_messages_author_id_idx on public.event_messages (author_id);
create index event_messages_hidden_by_idx on public.event_messages (hidden_by) where hidden_by is not null;

create table private.hidden_event_bodies (
    message_id uuid constraint hidden_event_bodies_pkey primary key
        constraint hidden_event_bodies_message_id_fkey references public.event_messages (id) on delete cascade,
    body text not null
);
comment on table private.hidden_event_bodies is 'The texts of hidden messages, until they are shown again.';
alter table private.hidden_event_bodies enable row level security;
revoke all on private.hidden_event_bodies from public, anon, authenticated, service_role;

create function private.guard_event_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    if not private.via_api() then
        return new;
    end if;
    if (old.hidden_at is null) <> (new.hidden_at is null)
        and not private.is_admin()
        and not exists (
            select from public.events as event
            where event.id = new.event_id and event.organizer_id = (select auth.uid())
        )
        and not exists (
            select from public.event_cohosts as host
            where host.event_id = new.event_id and host.user_id = (select auth.uid())
        )
    then
        raise exception using errcode = '42501', message = 'Only hosts and admins can hide or show a message.';
    end if;
    if new.body is distinct from old.body and old.author_id is distinct from (select auth.uid()) then
        raise exception using errcode = '42501', message = 'Only the author can edit a message.';
    end if;
    return new;
end
$$;
revoke execute on function private.guard_event_message() from public, anon, authenticated, service_role;

create function private.moderate_event_message() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    new.edited_at := old.edited_at;
    if old.hidden_at is null and new.hidden_at is not null then
        insert into private.hidden_event_bodies (message_id, body) values (old.id, old.body)
        on conflict (message_id) do update set body = excluded.body;
        new.body := null;
        new.hidden_at := now();
        new.hidden_by := (select auth.uid());
    elsif old.hidden_at is not null and new.hidden_at is null then
        delete from private.hidden_event_bodies where message_id = old.id returning body into new.body;
        new.hidden_by := null;
    elsif old.hidden_at is not null then
        if new.body is not null then
            raise exception using errcode = '42501', message = 'This message was hidden by a moderator.';
        end if;
        new.hidden_at := old.hidden_at;
        if private.via_api() then
            new.hidden_by := old.hidden_by;
        end if;
    else
        new.hidden_by := null;
        if new.body is distinct from old.body then
            new.edited_at := now();
        end if;
    end if;
    return new;
end
$$;
comment on function private.moderate_event_message() is
    'As private.moderate_message(): setting hidden_at hides, clearing it shows again.';
revoke execute on function private.moderate_event_message() from public, anon, authenticated, service_role;

create trigger begin_message before insert on public.event_messages
    for each row execute function private.begin_message();
create trigger guard_author before update on public.event_messages
    for each row when (old.author_id is distinct from new.author_id)
    execute function private.refuse_to_api('The author of a message cannot be changed.');
create trigger guard_key before update on public.event_messages
    for each row when ((old.id, old.event_id) is distinct from (new.id, new.event_id))
    execute function private.refuse('The id and the event of a message cannot be changed.');
create trigger guard_message before update on public.event_messages
    for each row execute function private.guard_event_message();
create trigger moderate_message before update on public.event_messages
    for each row execute function private.moderate_event_message();
create trigger stamp_row before insert or update on public.event_messages
    for each row execute function private.stamp_row();
create trigger log_change after insert or update or delete on public.event_messages
    for each row execute function private.log_change('public', 'id');
create trigger log_truncate after truncate on public.event_messages
    for each statement execute function private.log_truncate();

alter table public.event_messages enable row level security;
revoke all on public.event_messages from public, anon, authenticated, service_role;
grant select on public.event_messages to anon;
grant select, insert, update, delete on public.event_messages to authenticated, service_role;

-- Anyone may read all events. The deletion of a message that only some may read would be told to all, because its replica
-- identity does not say to which event it belonged.
create policy "Anyone may read the discussions of events" on public.event_messages
    for select to anon, authenticated using (true);
create policy "Members may say something about events that they see" on public.event_messages
    for insert to authenticated
    with check (
        author_id = (select auth.uid())
        and exists (select from public.events as event where event.id = event_messages.event_id)
    );
-- The triggers part them: the author the text, hosts and admins whether it is shown.
create policy "Authors may edit, hosts and admins may hide" on public.event_messages
    for update to authenticated
    using (
        author_id = (select auth.uid())
        or (select private.is_admin())
        or exists (
            select from public.events as event
            where event.id = event_messages.event_id and event.organizer_id = (select auth.uid())
        )
        or exists (
            select from public.event_cohosts as host
            where host.event_id = event_messages.event_id and host.user_id = (select auth.uid())
        )
    ); -- no "with check": Postgres then asks the same of the new row
create policy "Authors may delete" on public.event_messages
    for delete to authenticated using (author_id = (select auth.uid()));

insert into private.quotas (table_name, rows_per_minute, rows_at_once, bytes_per_minute, bytes_at_once)
values ('event_messages', 240, 600, 2000000, 5000000);
select private.limit_writes('event_messages');

alter publication supabase_realtime add table public.event_messages;

-- As before, and of these messages too.
create or replace function public.clean_up(
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
        or p_table is null
        or p_table not in ('agent_runs', 'routing_metrics', 'tavern_messages', 'event_messages', 'private_messages')
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
            case p_table
                when 'tavern_messages' then 'author_id' when 'event_messages' then 'author_id'
                when 'private_messages' then 'sender_id' else 'user_id'
            end
        ) into ids using p_user, p_before, case when p_delete then most end;
    end if;
    if p_delete then
        execute format('delete from public.%I where id = any ($1)', p_table) using ids;
    end if;
    return coalesce(cardinality(ids), 0);
end
$$;
